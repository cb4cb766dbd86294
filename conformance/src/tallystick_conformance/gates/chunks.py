"""Steps of stores that are reached over TCP.

A proxy for each worker holds each chunk that the worker's client sends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tallystick import Backend

from ..subject.target import Target
from .observer import OnStep, StepObserver
from .proxy import Link, Proxy, Traffic


def server_of(url: str | None) -> tuple[str, int] | None:
    """Return the host and port of a URL, or None if the URL lacks one of them."""
    parts = urlsplit(url or "")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # several hosts, or an invalid port
        return None
    return (host, port) if host and port else None


def through(url: str, proxy: Proxy) -> str:
    """Return the URL with the proxy's address in place of the server's."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{proxy.address[0]}:{proxy.address[1]}").geturl()


class _Stepping(Traffic):
    def __init__(self, worker: str, on_step: OnStep) -> None:
        self._worker, self._on_step = worker, on_step

    def asked(self, link: Link, chunk: bytes) -> None:
        self._on_step(self._worker)
        link.ask(chunk)


class Chunks(StepObserver):
    """Each chunk that a worker's client sends is a step.

    A client sends its next chunk after the reply to the last one, so the server works on them in order.
    """

    by_thread = False

    def __init__(self, backend: type[Backend]) -> None:
        self._backend = backend
        self._on_step: OnStep | None = None
        self._proxies: list[Proxy] = []

    @contextmanager
    def armed(self, on_step: OnStep) -> Iterator[None]:
        """Observe the clients that are opened in this block, and close their proxies at its end."""
        self._on_step = on_step
        try:
            yield
        finally:
            while self._proxies:
                self._proxies.pop().close()

    def client(self, target: Target, namespace: str, worker: str) -> Backend:
        """Open a client through a proxy of its own."""
        server = server_of(target.url)
        assert target.url is not None
        assert server is not None
        assert self._on_step is not None
        proxy = Proxy(server, _Stepping(worker, self._on_step))
        self._proxies.append(proxy)
        return Target.from_class(self._backend, through(target.url, proxy)).make(namespace)

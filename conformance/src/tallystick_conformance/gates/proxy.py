"""A TCP proxy on this machine between a client and its server. `Traffic` forwards, holds or drops each chunk."""

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread

_CHUNK = 65_536
_POLL = 0.2


class Link:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client, self._server = client, server

    def ask(self, chunk: bytes) -> None:
        """Send a chunk to the server."""
        self._server.sendall(chunk)

    def answer(self, chunk: bytes) -> None:
        """Send a chunk to the client."""
        self._client.sendall(chunk)

    def cut(self) -> None:
        """Close the connection on both sides."""
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Traffic:
    """Handles each chunk. This class forwards them; subclasses may hold or drop them."""

    def asked(self, link: Link, chunk: bytes) -> None:
        """Handle a chunk from the client."""
        link.ask(chunk)

    def answered(self, link: Link, chunk: bytes) -> None:
        """Handle a chunk from the server."""
        link.answer(chunk)


class Proxy:
    """Listens on a port of its own, and connects each client to one server. `traffic` may be replaced at any time."""

    def __init__(self, server: tuple[str, int], traffic: Traffic) -> None:
        self.traffic = traffic
        self._server = server
        self._links: list[Link] = []
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._start()

    def refuse(self) -> None:
        """Refuse new connections and cut the open ones."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        self.cut()

    def accept(self) -> None:
        """Accept connections again, on the same port."""
        self._listener = socket.create_server(self.address)
        self._start()

    def cut(self) -> None:
        """Cut all open connections."""
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.cut()

    def close(self) -> None:
        """Refuse connections for good, and cut the open ones."""
        self.refuse()

    def _start(self) -> None:
        self._listener.settimeout(_POLL)  # on some platforms, shutdown does not wake the acceptor
        self._acceptor = Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client, server)
            with self._lock:  # from here on, another thread may cut it
                self._links.append(link)
            for end, take in ((client, self._asked), (server, self._answered)):
                Thread(target=_pump, args=(end, take, link), daemon=True).start()

    def _asked(self, link: Link, chunk: bytes) -> None:
        self.traffic.asked(link, chunk)

    def _answered(self, link: Link, chunk: bytes) -> None:
        self.traffic.answered(link, chunk)


def _pump(end: socket.socket, take: Callable[[Link, bytes], None], link: Link) -> None:
    with suppress(OSError):
        while chunk := end.recv(_CHUNK):
            take(link, chunk)
    link.cut()

"""Serve the dashboard with uvicorn, and the control plane on an address of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from starlette.types import ASGIApp
from tallystick import Backend, Runner

from .app import control_plane, of_site
from .settings import DashboardSettings
from .site import Site


def run(source: Runner | Backend | str, settings: DashboardSettings, shown: str, say: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        source: The runner, backend or URL.
        settings: The settings.
        shown: The name of the store in the message.
        say: Prints the addresses.
    """
    settings.check_addresses()
    site = Site.of(source, settings)
    with _control_plane(site, say):
        server = BoundServer(of_site(site), settings.host, settings.port)
        say(f"dashboard of {shown}: {server.url}")
        server.run()


@contextmanager
def _control_plane(site: Site, say: Callable[[str], object]) -> Iterator[None]:
    """Serve the control plane in a thread, if it has a port of its own."""
    if site.settings.control_port is None:
        yield
        return
    server = BoundServer(control_plane(site), site.settings.control_host, site.settings.control_port)
    say(f"control plane: {server.url}jobs")
    thread = Thread(target=server.run, name="tallystick-control-plane")
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join()


class BoundServer:
    """A server whose socket is bound already, so that its port is known."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        config = uvicorn.Config(
            app, host, port, log_level="warning", access_log=False, server_header=False, proxy_headers=False, ws="none"
        )
        self._server = uvicorn.Server(config)
        self._socket = config.bind_socket()
        self._socket.listen(config.backlog)  # a client that comes before the first loop waits, and is not refused
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._socket.getsockname()[1]}/"

    def run(self) -> None:
        """Serve until `stop` or, in the main thread, a signal."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End `run`."""
        self._server.should_exit = True

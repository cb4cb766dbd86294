"""Answer the probes of an orchestrator over HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from ..errors import ConfigurationError
from .status import Status

_SECONDS = 5


class HealthServer:
    """Answers every GET with the status as JSON, in threads of its own."""

    def __init__(self, address: str, status: Callable[[], Status]) -> None:
        self._server = _listening(address, status)
        self.port: int = self._server.server_address[1]

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer requests inside the block."""
        thread = Thread(target=self._server.serve_forever, name="tallystick-health", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _listening(address: str, status: Callable[[], Status]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS  # a client that sends nothing must not hold a thread

        def do_GET(self) -> None:
            healthy, details = status()
            body = json.dumps({"healthy": healthy, **details}).encode()
            self.send_response(200 if healthy else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing: probes come every few seconds."""

    host, _, port = address.rpartition(":")
    try:
        server = ThreadingHTTPServer((host.strip("[]"), int(port)), Handler)
    except (OSError, OverflowError, ValueError) as exc:
        raise ConfigurationError(
            f"cannot answer probes at {address!r}: {exc}; pass HOST:PORT, e.g. 127.0.0.1:8080"
        ) from exc
    server.daemon_threads = True
    return server

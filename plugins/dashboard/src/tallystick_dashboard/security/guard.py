"""The middleware around the whole dashboard: every check, in order, then the headers of the response."""

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..rejections import Rejection
from . import cross_origin, hosts
from .authentication import Authentication
from .headers import new_nonce, security_headers

if TYPE_CHECKING:
    from ..settings import DashboardSettings

OPEN_PATHS = ("/healthz",)
"""Served to everyone: it shows only whether the store responds."""

LOGIN_PATHS = ("/login", "/static/")
"""Served to users who have not logged in."""


class Guard:
    """Lets a request through if it passes every check. Otherwise `reject` makes the response."""

    def __init__(
        self,
        app: ASGIApp,
        settings: "DashboardSettings",
        authentication: Authentication,
        reject: Callable[[Request, Rejection], Response],
    ) -> None:
        self._app = app
        self._settings = settings
        self._authentication = authentication
        self._reject = reject
        self._hosts = hosts.allowed_names(settings.host, settings.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        nonce = new_nonce()
        scope["tallystick_nonce"] = nonce
        scope["tallystick_user"] = None
        request = Request(scope, receive)
        app = self._app
        try:
            await self._check(request, scope)
        except Rejection as rejection:
            app = self._reject(request, rejection)
        await app(scope, receive, _with_headers(send, nonce))

    async def _check(self, request: Request, scope: MutableMapping[str, Any]) -> None:
        path = path_of(scope)
        if path in OPEN_PATHS:
            return
        hosts.check(request.headers, self._hosts)
        cross_origin.check(request.method, request.headers, self._settings.trusted_origins)
        if self._authentication.has_login and path.startswith(LOGIN_PATHS):
            return
        scope["tallystick_user"] = await self._authentication.user(request)


def path_of(scope: MutableMapping[str, Any]) -> str:
    """Return the path below the point where the dashboard is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or not path.startswith(root):
        return path
    below = path[len(root) :]
    return below if not below or below.startswith("/") else path


def _with_headers(send: Send, nonce: str) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in security_headers(nonce).items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return send_with_headers

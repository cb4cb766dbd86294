"""Identify the user of a request: by a hook, a token, a session or Basic credentials, or as the owner of loopback."""

import hmac
from dataclasses import replace
from inspect import isawaitable
from typing import TYPE_CHECKING

from pydantic import SecretStr
from starlette.requests import Request

from ..permissions import User
from ..rejections import Rejection
from .hosts import is_loopback
from .sessions import COOKIE, Sessions, decode_basic

if TYPE_CHECKING:
    from ..settings import DashboardSettings

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class Authentication:
    """Finds the user of a request, or rejects it. Fails closed."""

    def __init__(self, settings: "DashboardSettings") -> None:
        self._settings = settings
        self._tokens = {
            role: secret.get_secret_value()
            for role, secret in (("token", settings.token), ("read_token", settings.read_token))
            if secret is not None
        }
        self._basic = settings.basic.get_secret_value() if isinstance(settings.basic, SecretStr) else None
        self.sessions = Sessions(self._tokens.values())

    @property
    def has_login(self) -> bool:
        """Whether users log in with a token on a page."""
        return bool(self._tokens)

    async def user(self, request: Request) -> User:
        """Return the user of a request; raise a `Rejection` with status 401 or 403 for a stranger."""
        if self._settings.authenticate is not None:
            found = self._settings.authenticate(request)
            user = await found if isawaitable(found) else found
            if isinstance(user, User):
                return self._limited(user)
        if (role := self._role(request)) is not None:
            return self.of_role(role)
        if self._settings.has_authentication:
            challenge = 'Basic realm="Tallystick", charset="UTF-8"' if self._basic else "Bearer"
            raise Rejection(401, "log in to see this page", headers={"www-authenticate": challenge})
        _check_local(request)
        return self._settings.user("local")

    def role_of_token(self, token: str) -> str | None:
        """Return the role of a token: `token`, `read_token`, or None for a wrong one."""
        roles = [role for role, known in self._tokens.items() if hmac.compare_digest(known.encode(), token.encode())]
        return roles[0] if roles else None

    def of_role(self, role: str) -> User:
        """Return the user who logged in with a role."""
        if role.startswith("basic:"):
            return self._settings.user(role.removeprefix("basic:"))
        user = self._settings.user(role)
        return replace(user, permissions=frozenset()) if role == "read_token" else user

    def _role(self, request: Request) -> str | None:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.role_of_token(credentials.strip())
        if scheme.lower() == "basic" and self._basic is not None:
            given = decode_basic(credentials)
            is_right = hmac.compare_digest(given.encode(), self._basic.encode())
            return f"basic:{given.partition(':')[0]}" if is_right else None
        role = self.sessions.read(request.cookies.get(COOKIE, ""))
        return role if role in self._tokens else None

    def _limited(self, user: User) -> User:
        """Return a user of the hook without the permissions that the settings withhold from everyone."""
        limit = self._settings.user(user.name)
        return User(
            name=user.name,
            permissions=user.permissions & limit.permissions,
            can_see_payloads=user.can_see_payloads and limit.can_see_payloads,
        )


def _check_local(request: Request) -> None:
    """Reject a request that another machine may have sent."""
    client = request.client.host if request.client else ""
    if not is_loopback(client) or any(name in request.headers for name in _FORWARDED):
        raise Rejection(
            403,
            "without authentication the dashboard serves this machine only; set a token, basic or authenticate",
        )

"""A cookie that shows that its owner logged in with a token. It is signed with a key made from the tokens."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256
from time import time

COOKIE = "tallystick_session"
LONGEST = 12 * 3_600
"""How long a session lasts, in seconds."""


class Sessions:
    """Issues and reads the cookies of users. Every process with the same tokens accepts the cookies of the others."""

    def __init__(self, tokens: Iterable[str], clock: Callable[[], float] = time) -> None:
        self._key = hmac.new(b"tallystick dashboard session", "\n".join(tokens).encode(), sha256).digest()
        self._clock = clock

    def issue(self, role: str) -> str:
        """Return the value of a cookie for a role."""
        body = f"{role}.{int(self._clock()) + LONGEST}"
        return f"{body}.{self._sign(body)}"

    def read(self, cookie: str) -> str | None:
        """Return the role of a cookie; None if it is forged or has expired."""
        body, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            return None
        role, _, expires = body.rpartition(".")
        return role if int(expires) > self._clock() else None

    def _sign(self, body: str) -> str:
        return urlsafe_b64encode(hmac.new(self._key, body.encode(), sha256).digest()).decode().rstrip("=")


def decode_basic(credentials: str) -> str:
    """Return the `user:password` of Basic credentials; empty if they are malformed."""
    try:
        return urlsafe_b64decode(credentials.strip().replace("+", "-").replace("/", "_") + "==").decode()
    except ValueError:
        return ""

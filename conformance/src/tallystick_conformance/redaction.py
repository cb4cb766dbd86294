"""No report shows a secret: URLs are cut down wherever they stand, in errors and steps too."""

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, unquote, urlsplit

from tallystick import urls

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>`]+")

_SHORTEST = 4
"""The shortest secret that is looked for outside of URLs: a shorter one would make the text unreadable."""


@dataclass(frozen=True)
class Redaction:
    """Takes out the secrets of one URL, and of every URL that it meets."""

    url: str | None = None

    def text(self, text: str) -> str:
        """Return a text without secrets, and without what no file can hold."""
        text = text.encode("utf-8", "backslashreplace").decode()
        if self.url:
            text = text.replace(self.url, urls.redact(self.url))
        text = _URL.sub(lambda found: urls.redact(found.group()), text)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    @cached_property
    def _secrets(self) -> list[str]:
        try:
            parts = urlsplit(self.url or "")
            found = [parts.password or "", *(value for _, value in parse_qsl(parts.query) if "pass" in _)]
        except ValueError:
            return []
        known = {way for secret in found for way in (secret, unquote(secret)) if len(way) >= _SHORTEST}
        return sorted(known, key=len, reverse=True)

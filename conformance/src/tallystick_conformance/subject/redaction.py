"""Redact secrets in everything that a report contains, including errors and steps."""

from dataclasses import dataclass
from functools import cached_property

from tallystick import urls


@dataclass(frozen=True)
class Redaction:
    """Removes the secrets of one URL, and of every other URL in a text."""

    url: str | None = None

    def text(self, text: str) -> str:
        """Return a text without secrets; escape characters that UTF-8 cannot encode."""
        text = text.encode("utf-8", "backslashreplace").decode()
        if self.url:
            text = text.replace(self.url, urls.redact(self.url))
        return urls.scrub(urls.redact_all(text), self._secrets)

    @cached_property
    def _secrets(self) -> tuple[str, ...]:
        try:
            return urls.secrets(self.url or "")
        except ValueError:
            return ()

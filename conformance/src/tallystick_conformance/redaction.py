"""No report shows a secret: URLs are cut down wherever they stand, in errors and steps too."""

from dataclasses import dataclass
from functools import cached_property

from tallystick import urls


@dataclass(frozen=True)
class Redaction:
    """Takes out the secrets of one URL, and of every URL that it meets."""

    url: str | None = None

    def text(self, text: str) -> str:
        """Return a text without secrets, and without what no file can hold."""
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

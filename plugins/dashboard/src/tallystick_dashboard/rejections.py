"""A request that the dashboard rejects, with its HTTP status."""

from collections.abc import Callable


class Rejection(Exception):
    """The request is rejected with this status. The message says why, and how to change that.

    Args:
        status: The HTTP status.
        message: A text of the catalogues, so it must be a literal. `%(name)s` stands for a value.
        detail: A text that no catalogue has, of another library or of the core.
        headers: Headers of the response.
        values: The values of the message.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        detail: str = "",
        headers: dict[str, str] | None = None,
        **values: object,
    ) -> None:
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self._message = message
        self._values = values
        super().__init__(message)

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """The message in English, with the detail."""
        return ": ".join(filter(None, (self.translated(str), self.detail)))

    def translated(self, translate: Callable[[str], str]) -> str:
        """Return the message in another language, without the detail."""
        return translate(self._message) % self._values if self._message else ""


class NotPermitted(Rejection):
    """The user lacks a permission."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(403, message)
        self._values = values

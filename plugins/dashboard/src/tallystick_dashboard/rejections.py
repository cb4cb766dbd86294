"""A request that the dashboard rejects, with its HTTP status."""


class Rejection(Exception):
    """The request is rejected with this status. The message says why, and how to change that."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


class NotPermitted(Rejection):
    """The user lacks a permission."""

    def __init__(self, message: str) -> None:
        super().__init__(403, message)

"""A backend that is opened on first use."""

from threading import RLock
from typing import Self

from .. import forks
from ..config.settings import Settings
from ..contract.backend import Backend
from ..errors import Closed
from ..hooks.plugins import open_backend
from .leftovers import report_lost_jobs


class LazyBackend:
    """Opens the store that the settings select, once, and closes it. Never closes a backend that the user passed."""

    def __init__(self, given: Backend | None, *, closed: bool = False) -> None:
        self._given = given
        self._opened: Backend | None = None
        self._closed = closed
        self._was_forked_open = False
        self._lock = RLock()
        forks.watch(self)

    @property
    def is_open(self) -> bool:
        """Whether the store was used and not closed."""
        return self._opened is not None

    @property
    def is_closed(self) -> bool:
        """Whether the store was closed and not reopened."""
        return self._closed

    @property
    def is_given(self) -> bool:
        """Whether the user passed a backend object."""
        return self._given is not None

    @property
    def given_name(self) -> str | None:
        """The class of the backend object that the user passed."""
        return None if self._given is None else type(self._given).__name__

    def get(self, settings: Settings) -> Backend:
        """Return the backend, opened and, with `auto_setup`, set up.

        Raises:
            Closed: `close` was called, and `reopen` was not.
        """
        if (opened := self._opened) is not None:
            return opened
        with self._lock:
            if self._closed:
                raise Closed("this runner was closed; reopen it with `with runner:`, or create another")
            if self._opened is None:
                self._opened = self._open(settings)
            return self._opened

    def instead(self) -> Self:
        """Return a replacement that opens the store in the settings. If this one is closed, the replacement is too."""
        return type(self)(None, closed=self._closed)

    def reopen(self) -> None:
        """Let `get` open the store again after a `close`. Repeat: harmless."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """Close the store, unless the user passed it as an object. Repeat: harmless."""
        with self._lock:
            self._closed = True
            opened, self._opened = self._opened, None
        if opened is not None and opened is not self._given:
            report_lost_jobs(opened)
            opened.close()

    def after_fork_in_child(self) -> None:
        """Open the store again on next use. A backend object that the user passed raises its own error."""
        self._lock = RLock()
        if self._opened is not None and self._opened is not self._given:
            self._opened = None
            self._was_forked_open = True

    def _open(self, settings: Settings) -> Backend:
        backend = open_backend(settings.backend) if self._given is None else self._given
        try:
            if self._was_forked_open:
                _reject_unshared(backend)
            if settings.auto_setup:
                backend.setup()
        except BaseException:
            if backend is not self._given:
                backend.close()
            raise
        return backend


def _reject_unshared(backend: Backend) -> None:
    """Reject a store that parent and child cannot share: the child's jobs would be lost with the child."""
    if not backend.capabilities.multi_process:
        raise Closed(
            "the parent process opened this runner's store before the fork, and processes cannot share a "
            f"{type(backend).__name__}; use a file or a server, e.g. sqlite:///jobs.db, or make the runner in the child"
        )

"""The parts of a dashboard that its pages and its API share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Backend, ConfigurationError, Runner

from ..security.audit import Audit
from ..settings import DashboardSettings
from .masks import Masks
from .shared import SharedReads
from .snapshots import StoreSnapshot, read, read_day

_DAY_AGE = timedelta(minutes=5)
"""The meters of the day before are read again after this time."""


class ControlPlane:
    """A runner, which may have no jobs of its own, with masks, audit log and shared reads."""

    def __init__(self, source: Runner | Backend | str, settings: DashboardSettings) -> None:
        if not isinstance(source, Runner | Backend | str):
            raise ConfigurationError(
                f"the dashboard needs a Runner, a Backend or a URL, not an object of type {type(source).__name__}"
            )
        self.owns_runner = not isinstance(source, Runner)
        self.runner = source if isinstance(source, Runner) else Runner(source, auto_setup=False)
        self.settings = settings
        self.audit = Audit()
        self.masks = Masks(settings.mask, self.payload_schema)
        self.shared = SharedReads(settings.interval)
        self._day = SharedReads(_DAY_AGE if settings.interval else settings.interval)

    @property
    def backend(self) -> Backend:
        """The store, opened at the first use."""
        return self.runner.backend

    def snapshot(self) -> StoreSnapshot:
        """Return the numbers of the store. All viewers share one snapshot in each interval."""
        return self.shared.get("snapshot", self._read)

    def _read(self) -> StoreSnapshot:
        now = datetime.now(UTC)
        return read(self.backend, now, self._day.get("day", lambda: read_day(self.backend, now)))

    def forget_day(self) -> None:
        """Read the meters of the day before again with the next snapshot."""
        self._day.forget()

    def payload_schema(self, kind: str) -> dict[str, Any] | None:
        """Return the JSON schema of the payloads of a registered kind; None for any other kind."""
        definition = self.runner.definitions.get(kind)
        return None if definition is None else definition.payload_schema()

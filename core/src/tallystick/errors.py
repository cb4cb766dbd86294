"""The errors that Tallystick raises.

A message names the value, the problem and the allowed values. A plugin maps the errors of its driver to these in one
place, and raises them `from` the original error.
"""

from typing import TYPE_CHECKING, Self
from uuid import UUID

if TYPE_CHECKING:
    from .contract.failure import Failure
    from .contract.records import Record


class TallystickError(Exception):
    """The base class of all errors."""


class InvalidArgument(TallystickError, ValueError):
    """A value that no store accepts. The call had no effect."""


class InvalidPayload(InvalidArgument):
    """A payload that fails validation or is not JSON. Nothing was stored."""


class InvalidResult(InvalidArgument):
    """A handler returned a result of the wrong type, or one that is not JSON. The job was discarded, not retried."""


class PayloadTooLarge(InvalidArgument):
    """A payload or a result is larger than `max_payload_bytes` of the backend or the runner. Nothing was stored."""


class MetaTooLarge(InvalidArgument):
    """The meta of a job or a schedule has too many keys or bytes. Nothing was stored."""


class UnknownZone(InvalidArgument):
    """No time zone has this name."""


class ConfigurationError(TallystickError):
    """A URL, an option or a setting is invalid."""


class UnknownScheme(ConfigurationError):
    """No installed plugin serves the URL's scheme."""


class PluginConflict(ConfigurationError):
    """Two installed distributions serve the same URL scheme."""


class ContractMismatch(ConfigurationError):
    """A backend was built for another version of the contract."""


class CalledFromInside(ConfigurationError):
    """A handler or callback tried to stop its own runner. The stop would wait for its caller forever."""


class NoCurrentRunner(ConfigurationError):
    """There is no current runner: none exists, or several do. See `Runner.current`."""


class DefinitionError(TallystickError):
    """A job cannot be registered or enqueued as it is defined."""


class NoSuchMethod(DefinitionError, AttributeError):
    """A job has no such method. The message names the right one."""


class DuplicateKind(DefinitionError):
    """Two jobs have the same kind."""


class DuplicateSchedule(DefinitionError):
    """Two schedules declared in code have the same name."""


class UnknownKind(DefinitionError):
    """The kind is not registered with this runner."""


class AlreadyStarted(DefinitionError):
    """A job was registered after the runner had started. Register jobs before you start it."""


class BackendError(TallystickError):
    """A call of a store failed."""


class Unavailable(BackendError):
    """The store could not be reached or used. The call had no effect."""


class OutcomeUnknown(BackendError):
    """The reply of the store was lost, so the call may have taken effect. Repeat an insert only with the same ids."""

    ids: tuple[UUID, ...] = ()  # the ids of the jobs that the enqueue may have stored


class NotSetUp(BackendError):
    """The store is not set up, or has the schema of another version."""


class ForeignStore(BackendError):
    """The tables or files at the URL were not created by Tallystick. They were not changed."""


class Unsupported(BackendError):
    """The backend does not support this feature. The call had no effect."""


class Closed(BackendError):
    """The backend or the runner is closed."""


class ClaimLost(TallystickError):
    """The attempt has ended, by its outcome or by a rescue, so its claim is no longer valid."""


class ProcessCrashed(TallystickError):
    """The child process of a handler with `isolation="process"` ended before the handler did. The attempt has failed.

    `exit_code` is its exit code; a negative one is the number of the signal that killed it. None means that the process
    did not start in time.
    """

    def __init__(self, message: str, exit_code: int | None) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> "tuple[type[Self], tuple[str, int | None]]":
        return type(self), (str(self), self.exit_code)


class ChildError(TallystickError):
    """A handler in a child process raised an exception that cannot be pickled. The message has its type and text."""


class ScheduleNotFound(TallystickError):
    """No schedule has this name."""


class ResultError(TallystickError):
    """A job has no result."""


class JobNotFound(ResultError):
    """No record has this id: it was never stored, or it was deleted. `get` also raises it for a purged record."""


class ResultExpired(ResultError):
    """The result is too old: the job's `keep_result` has passed, or its record was purged."""


class NotFinished(ResultError):
    """The job did not finish within the timeout."""


class _FinishedWithoutResult(ResultError):
    """The job finished without a result."""

    def __init__(self, message: str, record: "Record") -> None:
        super().__init__(message)
        self.record = record

    def __reduce__(self) -> "tuple[type[Self], tuple[str, Record]]":
        return type(self), (str(self), self.record)


class JobDiscarded(_FinishedWithoutResult):
    """The job was discarded. `record` is the stored job; `failure` and the message give the reason."""

    @property
    def failure(self) -> "Failure | None":
        """The error of the latest failed attempt."""
        return self.record.last_error


class JobCancelled(_FinishedWithoutResult):
    """The job was cancelled. `record` is the stored job."""

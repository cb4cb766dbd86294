"""Every error that Tallystick raises, in one tree.

A message names the value, what is wrong with it and what is allowed. A plugin maps its driver's errors to these at one
place, and raises them `from` the original.
"""

from typing import TYPE_CHECKING, Self
from uuid import UUID

if TYPE_CHECKING:
    from .records import Failure, Record


class TallystickError(Exception):
    """The root of the tree."""


class InvalidArgument(TallystickError, ValueError):
    """A value that no store would accept; nothing was done."""


class InvalidPayload(InvalidArgument):
    """A payload that does not validate, or is not JSON; nothing was stored."""


class InvalidResult(InvalidArgument):
    """A handler returned what is not of its type, or is not JSON; its job was discarded, since its work is done."""


class PayloadTooLarge(InvalidArgument):
    """More bytes than the backend's `max_payload_bytes`; nothing was stored."""


class ConfigurationError(TallystickError):
    """A URL, an option or a setting that cannot work."""


class UnknownScheme(ConfigurationError):
    """No installed plugin serves the URL's scheme."""


class PluginConflict(ConfigurationError):
    """Two installed distributions serve one scheme."""


class ContractMismatch(ConfigurationError):
    """A backend was built for another version of the contract."""


class CalledFromInside(ConfigurationError):
    """A handler or callback of a runner cannot stop it: the stop would wait for its own caller."""


class NoCurrentRunner(ConfigurationError):
    """`Runner.current()` was asked for where no runner, or more than one, is open."""


class DefinitionError(TallystickError):
    """A job that cannot be registered or enqueued as it is defined."""


class NoSuchMethod(DefinitionError, AttributeError):
    """A job has no such method; the message says what to write."""


class DuplicateKind(DefinitionError):
    """Two jobs claim one kind."""


class UnknownKind(DefinitionError):
    """The kind is not registered with this runner."""


class AlreadyStarted(DefinitionError):
    """Jobs are registered before the runner starts, not after."""


class BackendError(TallystickError):
    """The store did not do as it was asked."""


class Unavailable(BackendError):
    """The store could not be reached or used; nothing happened."""


class OutcomeUnknown(BackendError):
    """The answer was lost; the call may have taken effect. An insert can be repeated with the same ids."""

    ids: tuple[UUID, ...] = ()  # those of the jobs that an enqueue of the runner may have stored


class NotSetUp(BackendError):
    """The store was not set up, or has the schema of another version."""


class ForeignStore(BackendError):
    """What is at the URL was not made by Tallystick; it was left untouched."""


class Unsupported(BackendError):
    """The backend declares that it cannot do this; nothing was done."""


class Closed(BackendError):
    """The backend or the runner was closed."""


class ClaimLost(TallystickError):
    """The attempt has ended, by its completion or by a rescue, so nothing more can be done in its name."""


class ResultError(TallystickError):
    """A job has no result to give."""


class JobNotFound(ResultError):
    """No record has this id: it never had, or it was deleted or purged."""


class NotFinished(ResultError):
    """The job did not finish in the time that was given."""


class _FinishedWithoutResult(ResultError):
    def __init__(self, message: str, record: "Record") -> None:
        super().__init__(message)
        self.record = record

    def __reduce__(self) -> "tuple[type[Self], tuple[str, Record]]":
        return type(self), (str(self), self.record)


class JobDiscarded(_FinishedWithoutResult):
    """The job was discarded. `record` is the job as it is stored; `failure` and the message say why."""

    @property
    def failure(self) -> "Failure | None":
        """The error of the last attempt that failed."""
        return self.record.last_error


class JobCancelled(_FinishedWithoutResult):
    """The job was cancelled. `record` is the job as it is stored."""

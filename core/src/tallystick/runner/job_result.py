"""How a job stands when you asked for its result, and the result itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar, assert_never
from uuid import UUID

from ..config.settings import Settings
from ..config.stored_form import read_result
from ..contract.records import Record
from ..contract.state import State
from ..errors import InvalidArgument, JobCancelled, JobDiscarded, JobNotFound, NotFinished, ResultExpired
from ..jobs.declaration import Declaration
from ..jobs.handle import Handle
from ..jobs.options import Options
from ..jobs.registry import Registry

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

_VERSION_WITH_TIME = 7
_BITS_BELOW_TIME = 80


class Status(StrEnum):
    """How a job stands. A job that is `NOT_FOUND` was never stored, or was deleted by hand."""

    COMPLETED = "completed"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"
    NOT_FINISHED = "not finished"
    EXPIRED = "expired"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class JobResult(Generic[R_co]):
    """The answer of `Runner.wait_for`. `record` is None if the store has no record of the job."""

    id: UUID
    status: Status
    record: Record | None
    _registry: Registry = field(repr=False, compare=False)
    _settings: Settings = field(repr=False, compare=False)
    _declaration: Declaration[Any, R_co] | None = field(default=None, repr=False, compare=False)

    def of(self, declaration: "Declaration[Any, R] | None") -> "JobResult[R]":
        """Return this answer with the result decoded as a declaration says; None decodes it by its kind.

        Raises:
            InvalidArgument: the job is of another kind.
        """
        kinds = () if declaration is None else (declaration.kind, *declaration.options.aliases)
        if declaration is not None and self.record is not None and self.record.kind not in kinds:
            raise InvalidArgument(
                f"job {self.id} is of the kind {self.record.kind!r}, not {declaration.kind!r}; pass the Job class or "
                f"the definition of {self.record.kind!r}"
            )
        return JobResult(self.id, self.status, self.record, self._registry, self._settings, declaration)

    @property
    def value(self) -> R_co:
        """The result of a completed job, decoded as its definition declares.

        Raises:
            NotFinished, JobDiscarded, JobCancelled, ResultExpired, JobNotFound: the job has no result; see `status`.
            UnknownKind: the kind is not registered with the runner.
        """
        if self.status is Status.NOT_FOUND:
            raise JobNotFound(
                f"job {self.id} was not found: it was never stored, or it was deleted; check the id and the store"
            )
        if self.record is None:
            raise ResultExpired(
                f"job {self.id} has expired: the records of jobs of its age are purged; raise keep_completed to keep "
                "them for longer"
            )
        value: R_co = self._value(self.record)
        return value

    def _value(self, record: Record) -> Any:
        job = f"job {record.id} ({record.kind})"
        match self.status:
            case Status.COMPLETED:
                declaration = self._declaration or self._registry.named(record.kind)
                return declaration.decode_result(read_result(self._settings, record.result, record.kind))
            case Status.DISCARDED:
                error = record.last_error
                why = f": {error.type}: {error.message}" if error else ""
                raise JobDiscarded(f"{job} was discarded{why}; requeue it to run it again", record)
            case Status.CANCELLED:
                raise JobCancelled(f"{job} was cancelled; requeue it to run it again", record)
            case Status.EXPIRED | Status.NOT_FOUND:
                raise ResultExpired(
                    f"the result of {job} has expired: the job completed at {record.finished_at}; raise keep_result of "
                    "its kind to read results for longer"
                )
            case Status.NOT_FINISHED:
                attempts = f"attempt {record.attempt} of {record.max_attempts}"
                raise NotFinished(
                    f"{job} has not finished: it is {record.state}, {attempts}; wait longer with "
                    "timeout=timedelta(seconds=...), or check that a worker serves its queue"
                )
            case _:
                assert_never(self.status)


def result_of(
    job: Handle[object] | UUID, record: Record | None, registry: Registry, settings: Settings
) -> JobResult[Any]:
    """Return how a job stands, from its record; None if the store has none."""
    id = job if isinstance(job, UUID) else job.id
    now = datetime.now(UTC)
    status = _status(record, registry, now) if record else _status_of_missing(job, registry, settings, now)
    return JobResult(id, status, record, registry, settings)


def _status(record: Record, registry: Registry, now: datetime) -> Status:
    match record.state:
        case State.COMPLETED:
            known = registry.find(record.kind)
            keep = known.options.keep_result if known else None
            finished = record.finished_at
            return Status.EXPIRED if keep is not None and finished and now - finished > keep else Status.COMPLETED
        case State.DISCARDED:
            return Status.DISCARDED
        case State.CANCELLED:
            return Status.CANCELLED
        case State.PENDING | State.RUNNING | State.RETRYING:
            return Status.NOT_FINISHED
        case _:
            assert_never(record.state)


def _status_of_missing(job: Handle[object] | UUID, registry: Registry, settings: Settings, now: datetime) -> Status:
    """Return whether a record may have been purged: a job is created before it finishes."""
    created = _created(job)
    keep = _shortest_keep(job, registry, settings)
    may_be_purged = created is not None and keep is not None and now - created > keep
    return Status.EXPIRED if may_be_purged else Status.NOT_FOUND


def _created(job: Handle[object] | UUID) -> datetime | None:
    """Return when a job was created: as stored, or else as in its id, which is a UUIDv7 unless you chose another."""
    if isinstance(job, Handle):
        return job.record.created_at
    if job.version != _VERSION_WITH_TIME:
        return None
    try:
        return datetime.fromtimestamp((job.int >> _BITS_BELOW_TIME) / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # an id from elsewhere
        return None


def _shortest_keep(job: Handle[object] | UUID, registry: Registry, settings: Settings) -> timedelta | None:
    """Return how long a record of the job's kind is kept at least; None for ever. For an id, of any kind."""
    if isinstance(job, Handle):
        known = registry.find(job.record.kind)
        kinds = [known.options] if known else [Options()]
    else:
        kinds = [Options(), *(definition.options for definition in registry.values())]
    keeps = [keep for options in kinds for keep in _keeps(options, settings)]
    return min(keeps, default=None)


def _keeps(options: Options, settings: Settings) -> list[timedelta]:
    pairs = (
        (options.keep_completed, settings.keep_completed),
        (options.keep_discarded, settings.keep_discarded),
        (options.keep_cancelled, settings.keep_cancelled),
    )
    return [keep for own, general in pairs if (keep := general if own is None else own) is not None]

"""The options of a job at enqueue, in addition to its payload."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Generic, TypedDict, TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from ..backends.lazy_records import LazyRecords
from ..config.settings import Settings
from ..config.stored_form import stored_payload
from ..contract.meta import NO_META
from ..contract.records import NewRecord, OnConflict, UniqueUntil
from ..errors import InvalidArgument
from ..jobs.declaration import Call, Declaration
from ..jobs.job_base import Job
from ..jobs.options import Options
from ..jobs.payload_versions import with_version
from ..jobs.registry import Registry
from ..messages.advice import unknown_option
from ..messages.safe_repr import safe_repr

R_co = TypeVar("R_co", covariant=True)


class BatchOptions(TypedDict, total=False):
    """Options that apply to all jobs of a batch. An option that you leave out comes from the definition of the kind.

    `meta` is text that each job carries, such as the context of a trace. `transaction` is your own open transaction, in
    which the jobs are stored; see `Backend.insert`.
    """

    queue: str
    priority: int
    max_attempts: int
    tags: tuple[str, ...]
    meta: Mapping[str, str]
    transaction: object


class EnqueueOptions(BatchOptions, total=False):
    """Options of one job. Pass your own `id` to make a repeated enqueue harmless. For the others see `NewRecord`.

    `unique_until`, `on_conflict` and `debounce_max` that you leave out come from the definition of the kind. Without
    `unique_key`, the option `unique_by` of the kind derives one from the payload.
    """

    id: UUID
    unique_key: str
    unique_until: UniqueUntil
    on_conflict: OnConflict
    debounce_max: timedelta | None


@dataclass(frozen=True, slots=True)
class Enqueue(Generic[R_co]):
    """One job of a batch with options of its own. An option that is None comes from the batch, or else from the kind.

    The `id` is fixed when the item is created. If a batch's result is lost, repeat it with the same items: no job is
    stored twice.
    """

    job: Job[R_co] | Call[R_co]
    _: KW_ONLY
    id: UUID = field(default_factory=uuid7)
    run_at: datetime | timedelta | None = None
    queue: str | None = None
    priority: int | None = None
    max_attempts: int | None = None
    tags: tuple[str, ...] | None = None
    meta: Mapping[str, str] | None = None
    unique_key: str | None = None
    unique_until: UniqueUntil | None = None
    on_conflict: OnConflict | None = None
    debounce_max: timedelta | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.job, Job | Call):
            raise InvalidArgument(
                f"job is {safe_repr(self.job)}; it must be an instance of a Job class, or the return value of "
                ".job(payload)"
            )

    def options(self) -> dict[str, Any]:
        """Return the options that are set for this job."""
        own = {option.name: getattr(self, option.name) for option in fields(self) if option.name != "job"}
        return {name: value for name, value in own.items() if value is not None}


_KNOWN = frozenset({"run_at", *EnqueueOptions.__annotations__})


def new_records(
    registry: Registry,
    settings: Settings,
    jobs: Iterable[Job[Any] | Call[Any] | Enqueue[Any]],
    options: Mapping[str, Any],
) -> Sequence[NewRecord]:
    """Return the records to insert for a batch. An option of an `Enqueue` item overrides that of the batch.

    The records of a batch of plain jobs are made when the store needs them.
    """
    check_options(options)
    if own := options.keys() - BatchOptions.__annotations__.keys() - {"run_at"}:
        names = ", ".join(sorted(own))
        raise InvalidArgument(f"{names} cannot apply to a whole batch; set it for each job: Enqueue(job, ...)")
    batch, jobs = _Batch(registry, settings, options), [*jobs]
    plain = [job for job in jobs if not isinstance(job, Enqueue)]
    resolved = [registry.resolve(job) for job in plain]
    if len(plain) < len(jobs) or any(definition.options.unique_by for definition in {each for each, _ in resolved}):
        return [batch.record(job) for job in jobs]
    return LazyRecords(resolved, batch.plain_record)


class _Batch:
    """Makes the records of a batch. Jobs of a kind with the same options differ only in their payload and id."""

    def __init__(self, registry: Registry, settings: Settings, options: Mapping[str, Any]) -> None:
        self._registry = registry
        self._settings = settings
        self._options = options
        self._first: dict[Declaration[Any, Any], NewRecord] = {}

    def record(self, job: Job[Any] | Call[Any] | Enqueue[Any]) -> NewRecord:
        """Return the record to insert for a job."""
        if isinstance(job, Enqueue):
            definition, payload = self._registry.resolve(job.job)
            options = {**self._options, **job.options()}
            return new_record(definition, self._settings, definition.encode(payload), options)
        resolved = definition, payload = self._registry.resolve(job)
        if definition.options.unique_by:  # which derives a value from each payload
            return new_record(definition, self._settings, definition.encode(payload), self._options)
        return self.plain_record(resolved)

    def plain_record(self, resolved: tuple[Declaration[Any, Any], Any]) -> NewRecord:
        """Return the record to insert for a job without options of its own: for its declaration and payload."""
        definition, payload = resolved
        encoded = definition.encode(payload)
        if (first := self._first.get(definition)) is not None:
            return _with_payload(first, stored_payload(self._settings, encoded, definition.kind))
        record = self._first[definition] = new_record(definition, self._settings, encoded, self._options)
        return record


def _with_payload(new: NewRecord, payload: bytes) -> NewRecord:
    """Return a job with this payload, an id of its own, and the other values of a job, which were checked before."""
    copy = object.__new__(NewRecord)
    copy.__dict__.update(new.__dict__, id=uuid7(), payload=payload)
    return copy


def new_record(
    definition: Declaration[Any, Any], settings: Settings, payload: bytes, options: Mapping[str, Any]
) -> NewRecord:
    """Return the record to insert for a job, with the given options and the defaults of its kind and of the runner.

    Raises:
        InvalidArgument: an option does not exist, or its value cannot be stored.
    """
    check_options(options)
    defaults = definition.options
    given: dict[str, Any] = {
        "queue": defaults.queue,
        "priority": defaults.priority,
        "max_attempts": settings.max_attempts_of(defaults),
        "tags": defaults.tags,
        "meta": defaults.meta,
        **options,
    }
    if given["meta"] is not NO_META or defaults.payload_version != 1:
        given["meta"] = with_version(given["meta"], defaults.payload_version)
    if defaults.unique_by and "unique_key" not in options:
        given["unique_key"] = definition.unique_key(payload)
    if given.get("unique_key") is not None:
        given = _of_key(defaults, options) | given
    return NewRecord(kind=definition.kind, payload=stored_payload(settings, payload, definition.kind), **given)


def _of_key(defaults: Options, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the kind's options about a unique key. They apply to jobs that have one."""
    policy = {} if "on_conflict" in options else {"debounce_max": defaults.debounce_max}
    return {"unique_until": defaults.unique_until, "on_conflict": defaults.on_conflict, **policy}


def check_options(options: Iterable[str]) -> None:
    """Reject an option that does not exist."""
    if not _KNOWN.issuperset(options):
        word = next(word for word in options if word not in _KNOWN)
        raise InvalidArgument(f"{word!r} is not an option of enqueue: {unknown_option(word, _KNOWN)}")


def check_jobs(jobs: object) -> None:
    """Reject an argument that is not a collection of jobs, before it is iterated."""
    if isinstance(jobs, Job | Call | Enqueue | Declaration | str | bytes | Mapping) or not isinstance(jobs, Iterable):
        raise InvalidArgument(f"jobs is {safe_repr(jobs)}; pass a list of jobs, e.g. [SendWelcome(user_id=7)]")

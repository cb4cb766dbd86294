"""What an application does with jobs beside working them: they are registered, enqueued, looked at and changed."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Never, Protocol, Self, TypeVar, cast, overload
from uuid import UUID

from typing_extensions import Unpack

from . import forks, validation
from .backend import Backend
from .context import Context
from .current import current, open_runners
from .definition import Call, Definition, Handler
from .enqueueing import BatchOptions, Enqueue, EnqueueOptions, check_jobs, check_options, new_record
from .errors import AlreadyStarted, DefinitionError, InvalidArgument, JobNotFound, OutcomeUnknown
from .handle import Handle
from .job import Job
from .lazy_backend import LazyBackend
from .observers import Callback, Observers
from .options import OptionArgs, read_options
from .plugins import check_contract, installed
from .records import Filter, NewRecord, Record
from .registry import Registry
from .results import read_result
from .safe_repr import type_name
from .settings import Settings, SettingsArgs, read_settings, with_own_worker_name
from .state import FINAL

R = TypeVar("R")
P = TypeVar("P")
JobClassT = TypeVar("JobClassT", bound=type[Job[Any]])
CallbackT = TypeVar("CallbackT", bound=Callback)
Which = Filter | Handle[Any] | UUID

FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.1
"""Seconds between two looks at a job whose result is waited for; they double."""

_BULK = 1_000
_UUID_LENGTH = 36

_MISSING: Any = object()
"""Stands for an argument that a decorator written without it, or with empty parentheses, does not pass."""


class FunctionDecorator(Protocol):
    """Turns a function of (payload, ctx), sync or async, into a definition of the same types."""

    @overload
    def __call__(self, function: Callable[[P, Context], Coroutine[Any, Any, R]], /) -> Definition[P, R]: ...
    @overload
    def __call__(self, function: Callable[[P, Context], R], /) -> Definition[P, R]: ...


class Client:
    """The half of a runner that needs no worker; see `Runner`."""

    def __init__(self, backend: str | Backend | None = None, /, **settings: Unpack[SettingsArgs]) -> None:
        if isinstance(backend, str):
            settings["backend"] = backend
        elif isinstance(backend, Backend):
            check_contract(type(backend), type(backend).__name__)
        elif backend is not None:
            raise InvalidArgument(f"backend is of type {type_name(backend)}; it must be a URL (a str) or a Backend")
        self._arguments = settings
        self._settings = read_settings(settings)
        self._lazy_backend = LazyBackend(backend if isinstance(backend, Backend) else None)
        self._registry = Registry()
        self._observers = Observers(installed().hooks)
        forks.watch(self)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    def configure(self, **settings: Unpack[SettingsArgs]) -> None:
        """Override settings, as a command line does; a URL replaces a backend that was given as an object.

        Raises:
            AlreadyStarted: the store is open already.
            ConfigurationError: a setting cannot work.
        """
        if self._lazy_backend.is_open:
            raise AlreadyStarted("this runner's store is open already; configure it before its first use")
        arguments: SettingsArgs = {**self._arguments, **settings}
        self._settings = read_settings(arguments)
        self._arguments = arguments
        if "backend" in settings:
            self._lazy_backend = self._lazy_backend.instead()

    @property
    def backend(self) -> Backend:
        """The store, opened (and, unless `auto_setup` is off, set up) at the first use."""
        backend = self._lazy_backend.get(self._settings)
        open_runners.add(self)
        return backend

    @property
    def closed(self) -> bool:
        """Whether it was closed and not entered again."""
        return self._lazy_backend.is_closed

    @property
    def has_chosen_store(self) -> bool:
        """Whether argument or environment name a store; else it is `memory://`, which only this process sees."""
        return self._lazy_backend.is_given or "backend" in self._settings.model_fields_set

    def close(self) -> None:
        """Close the store, unless it was given as an object. Repeat: harmless. `with runner:` opens it again."""
        open_runners.discard(self)
        self._lazy_backend.close()

    def after_fork_in_child(self) -> None:
        """Take a worker's name of this process's own."""
        self._settings = with_own_worker_name(self._settings)

    def __enter__(self) -> Self:
        self._lazy_backend.reopen()
        _ = self.backend
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def current(cls) -> Self:
        """Return the runner whose handler this is; elsewhere, e.g. in a web request, the one open in this process.

        Raises:
            NoCurrentRunner: none is open, or several are.
        """
        return cast("Self", current())

    # the jobs

    def register(self, job: JobClassT = _MISSING) -> JobClassT:
        """Register a `Job` class; usable as a decorator.

        Raises:
            AlreadyStarted, DuplicateKind, DefinitionError: see the errors.
        """
        if job is _MISSING:
            raise DefinitionError("@runner.register() takes no parentheses; write @runner.register above the class")
        self._registry.add_class(job)
        return job

    def job(self, kind: str = _MISSING, **options: Unpack[OptionArgs]) -> FunctionDecorator:
        """Register a function of (payload, ctx) as a job: `@runner.job("reports:generate", queue="reports")`.

        Its annotations are the types of payload and result; both can be anything that pydantic handles. What it is
        decorated into makes jobs: `runner.enqueue(generate.job(payload))`, and is still called as the function it was.
        """
        _check_kind(kind, "job")
        read = read_options(kind, {**options})

        def register(function: Handler[Any, Any]) -> Definition[Any, Any]:
            definition = Definition.of_function(kind, function, read)
            self._registry.add(definition)
            return definition

        return register

    def raw(
        self, kind: str = _MISSING, **options: Unpack[OptionArgs]
    ) -> Callable[[Handler[bytes, bytes | None]], Definition[bytes, bytes | None]]:
        """Register a function of (bytes, ctx) that returns bytes or None: no validation, for jobs known at run time."""
        _check_kind(kind, "raw")
        read = read_options(kind, {**options})

        def register(function: Handler[bytes, bytes | None]) -> Definition[bytes, bytes | None]:
            definition = Definition.raw(kind, function, read)
            self._registry.add(definition)
            return definition

        return register

    @property
    def definitions(self) -> Mapping[str, Definition[Any, Any]]:
        """The registered jobs by kind."""
        return self._registry

    def on_completed(self, callback: CallbackT = _MISSING) -> CallbackT:
        """Call `callback(record, outcome)` after each job that this runner completed.

        Keep it short: it holds up the settling of others. What it raises is logged. One that has a parameter
        `exception` gets None there.

        Raises:
            InvalidArgument: it cannot be called so, or is an async function.
        """
        _check_parentheses(callback, "on_completed")
        self._observers.on_completed(callback)
        return callback

    def on_discarded(self, callback: CallbackT = _MISSING) -> CallbackT:
        """Call `callback(record, outcome)`, or with `exception=`, after each job that this runner discarded.

        Keep it short: it holds up the settling of others. What it raises is logged. One that has a parameter
        `exception` gets what the handler raised, with its traceback; None where nothing was raised. A job whose
        worker died at its last attempt is discarded by the runner that rescues it; nothing was raised there.

        Raises:
            InvalidArgument: it cannot be called so, or is an async function.
        """
        _check_parentheses(callback, "on_discarded")
        self._observers.on_discarded(callback)
        return callback

    # enqueueing

    def enqueue(
        self,
        job: Job[R] | Call[R],
        *more: Never,
        run_at: datetime | timedelta | None = None,
        **options: Unpack[EnqueueOptions],
    ) -> Handle[R]:
        """Store a job, due now or at `run_at` (an aware datetime, or a delay by the store's clock).

        Returns:
            A handle of the stored job, or of the duplicate that it met.

        Raises:
            InvalidPayload: the payload does not validate, or would not when read back; nothing was stored.
            PayloadTooLarge, UnknownKind, InvalidArgument: nothing was stored.
            Unavailable: nothing was stored.
            OutcomeUnknown: the job may have been stored; repeat with the same `id`, which is in the error's `ids`.
        """
        if more:
            raise InvalidArgument(
                f"enqueue was given {validation.shown(more[0])} beside the job; the payload is part of the job: "
                "runner.enqueue(generate.job(payload)) or runner.enqueue(SendWelcome(user_id=7))"
            )
        definition, payload = self._registry.resolve(job)
        return self._insert_one(definition, definition.encode(payload), run_at, options)

    def enqueue_in(self, delay: timedelta, job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]) -> Handle[R]:
        """Store a job that is due after a delay; see `enqueue`."""
        _check_order(delay, options, "enqueue_in(delay, job)")
        validation.not_negative(delay, "delay")
        return self.enqueue(job, run_at=delay, **options)

    def enqueue_at(self, when: datetime, job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]) -> Handle[R]:
        """Store a job that is due at an aware datetime; see `enqueue`."""
        _check_order(when, options, "enqueue_at(when, job)")
        validation.utc(when, "when")
        return self.enqueue(job, run_at=when, **options)

    def enqueue_batch(
        self,
        jobs: Iterable[Job[R] | Call[R] | Enqueue[R]],
        *,
        run_at: datetime | timedelta | None = None,
        **options: Unpack[BatchOptions],
    ) -> list[Handle[R]]:
        """Store jobs, all or nothing, due now or at `run_at`; `Enqueue(job, ...)` has options of one job.

        Returns:
            A handle for each, in the order given; for no jobs an empty list.

        Raises:
            The errors of `enqueue`; `InvalidArgument` also for more jobs than the backend's `max_batch`.
            OutcomeUnknown: they may have been stored; repeat with the same `Enqueue` items, or with the error's `ids`.
        """
        check_jobs(jobs)
        check_options(options)
        if own := options.keys() - BatchOptions.__annotations__.keys():
            shown = ", ".join(sorted(own))
            raise InvalidArgument(f"{shown} cannot be one for a whole batch; give each job its own: Enqueue(job, ...)")
        transaction = options.pop("transaction", None)
        common = {**options, "run_at": run_at}
        records = [self._new_record(job, common) for job in jobs]
        return self._insert(records, transaction) if records else []

    def _new_record(self, job: Job[Any] | Call[Any] | Enqueue[Any], options: dict[str, Any]) -> NewRecord:
        if isinstance(job, Enqueue):
            return self._new_record(job.job, options | job.options())
        definition, payload = self._registry.resolve(job)
        return new_record(definition, definition.encode(payload), options)

    def enqueue_raw(
        self,
        kind: str,
        payload: bytes,
        *,
        run_at: datetime | timedelta | None = None,
        **options: Unpack[EnqueueOptions],
    ) -> Handle[Any]:
        """Store a job by its kind and encoded payload, which is validated unless the kind is a raw one."""
        definition = self._registry.named(kind)
        if not isinstance(payload, bytes):
            raise InvalidArgument(f"the payload of {kind!r} is of type {type(payload).__name__}; it must be bytes")
        definition.decode(payload)
        return self._insert_one(definition, payload, run_at, options)

    def _insert_one(
        self,
        definition: Definition[Any, R],
        payload: bytes,
        run_at: datetime | timedelta | None,
        options: EnqueueOptions,
    ) -> Handle[R]:
        transaction = options.pop("transaction", None)
        return self._insert([new_record(definition, payload, {**options, "run_at": run_at})], transaction)[0]

    def _insert(self, records: Sequence[NewRecord], transaction: object | None) -> list[Handle[Any]]:
        try:
            inserted = self.backend.insert(records, transaction=transaction)
        except OutcomeUnknown as exc:
            exc.ids = tuple(record.id for record in records)
            raise
        self._observers.enqueued(inserted)
        return [Handle.of(answer) for answer in inserted]

    # looking at jobs, and changing them

    def get(self, job: Handle[Any] | UUID) -> Record:
        """Return a job's record as it is now; raise `JobNotFound` if there is none."""
        id = _id(job)
        try:
            return self.backend.get([id])[id]
        except KeyError:
            raise JobNotFound(f"there is no job {id}: it never was, or it was deleted or purged") from None

    @overload
    def result(self, job: Handle[R], *, timeout: timedelta = ...) -> R: ...
    @overload
    def result(self, job: UUID, *, timeout: timedelta = ...) -> Any: ...
    def result(self, job: Handle[Any] | UUID, *, timeout: timedelta = timedelta(0)) -> Any:
        """Return what a job's handler returned, waiting up to `timeout` for it to finish.

        Raises:
            NotFinished: not in that time.
            JobDiscarded, JobCancelled: it has no result, and never will unless it is requeued.
            JobNotFound: it was deleted or purged, and its result with it.
        """
        deadline = monotonic() + validation.not_negative(timeout, "timeout").total_seconds()
        pause = FIRST_PAUSE
        while (record := self.get(job)).state not in FINAL and (left := deadline - monotonic()) > 0:
            sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)
        return read_result(self._registry, record)

    def cancel(self, which: Which) -> int:
        """Cancel a job, or all that fit a filter: those that wait end now, those that run are told to stop.

        Returns:
            How many it changed; 0 for a job that had finished.
        """
        return self._in_bulk(self.backend.cancel, which)

    def requeue(self, which: Which) -> int:
        """Make a retrying or finished job, or all that fit a filter, due now, with another attempt; return how many."""
        return self._in_bulk(self.backend.requeue, which)

    def delete(self, which: Which) -> int:
        """Remove the record of a job, or of all that fit a filter, except running ones; return how many."""
        return self._in_bulk(self.backend.delete, which)

    def _in_bulk(self, change: Callable[..., Sequence[UUID]], which: Which) -> int:
        filter = which if isinstance(which, Filter) else Filter(ids=[_id(which)])
        reached: set[UUID] = set()
        while True:
            changed = change(filter, limit=_BULK)
            new = set(changed) - reached
            reached |= new
            if len(changed) < _BULK or not new:  # what workers bring back meanwhile is not reached again
                return len(reached)


def _id(job: object) -> UUID:
    if isinstance(job, Handle):
        return job.id
    if isinstance(job, UUID):
        return job
    instead = f": uuid.UUID({job!r})" if isinstance(job, str) and len(job) == _UUID_LENGTH else ""
    raise InvalidArgument(
        f"{validation.shown(job)} is not a job's id; pass a uuid.UUID{instead} or what enqueue returned"
    )


def _check_kind(kind: object, decorator: str) -> None:
    if kind is _MISSING or callable(kind):
        name = getattr(kind, "__name__", "generate")
        raise DefinitionError(f'@runner.{decorator} needs the job\'s kind; write @runner.{decorator}("{name}")')
    validation.name(cast("str", kind), "kind")


def _check_parentheses(callback: object, decorator: str) -> None:
    if callback is _MISSING:
        raise DefinitionError(f"@runner.{decorator}() takes no parentheses; write @runner.{decorator}")


def _check_order(first: object, options: Mapping[str, Any], call: str) -> None:
    if isinstance(first, Job | Call):
        raise InvalidArgument(f"the job was given first; the order is {call}")
    if "run_at" in options:
        raise InvalidArgument(f"run_at was given to {call}, which has a time of its own; use enqueue(job, run_at=...)")

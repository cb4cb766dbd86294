"""Register, enqueue, inspect and change jobs: everything that an application does with jobs except running them."""

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
from .filters import Filter
from .handle import Handle
from .job import Job
from .lazy_backend import LazyBackend
from .observers import Callback, Observers
from .options import OptionArgs, read_options
from .plugins import check_contract, installed
from .records import NewRecord, Record
from .registry import Registry
from .results import read_result
from .safe_repr import safe_repr, type_name
from .settings import Settings, SettingsArgs, read_settings, with_own_worker_name
from .state import FINAL

R = TypeVar("R")
P = TypeVar("P")
JobClassT = TypeVar("JobClassT", bound=type[Job[Any]])
CallbackT = TypeVar("CallbackT", bound=Callback)
Which = Filter | Handle[Any] | UUID

FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.1
"""Seconds between two polls of a job's result: the first pause, and the limit up to which it doubles."""

_BULK = 1_000
_UUID_LENGTH = 36

_MISSING: Any = object()
"""Marks a missing argument, as when a decorator is written without it or with empty parentheses."""


class FunctionDecorator(Protocol):
    """Turns a function of (payload, ctx), sync or async, into a definition with the same types."""

    @overload
    def __call__(self, function: Callable[[P, Context], Coroutine[Any, Any, R]], /) -> Definition[P, R]: ...
    @overload
    def __call__(self, function: Callable[[P, Context], R], /) -> Definition[P, R]: ...


class Client:
    """The part of a runner that needs no worker. See `Runner`."""

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
        """The current settings."""
        return self._settings

    def configure(self, **settings: Unpack[SettingsArgs]) -> None:
        """Override settings before the first use, as command-line options do. A URL replaces a backend object.

        Raises:
            AlreadyStarted: the store is already open.
            ConfigurationError: a setting is invalid.
        """
        if self._lazy_backend.is_open:
            raise AlreadyStarted("this runner's store is already open; configure the runner before its first use")
        arguments: SettingsArgs = {**self._arguments, **settings}
        self._settings = read_settings(arguments)
        self._arguments = arguments
        if "backend" in settings:
            self._lazy_backend = self._lazy_backend.instead()

    @property
    def backend(self) -> Backend:
        """The store. The first use opens it and, with `auto_setup`, sets it up."""
        backend = self._lazy_backend.get(self._settings)
        open_runners.add(self)
        return backend

    @property
    def closed(self) -> bool:
        """Whether the runner was closed and not reopened."""
        return self._lazy_backend.is_closed

    @property
    def has_chosen_store(self) -> bool:
        """Whether an argument or the environment selects a store. The default, `memory://`, serves one process only."""
        return self._lazy_backend.is_given or "backend" in self._settings.model_fields_set

    def close(self) -> None:
        """Close the store, unless you passed a backend object. Repeat: harmless. `with runner:` opens it again."""
        open_runners.discard(self)
        self._lazy_backend.close()

    def after_fork_in_child(self) -> None:
        """Give the child process a worker name of its own."""
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
        """Return the runner of the current handler; elsewhere, e.g. in a web request, the only runner that is open.

        Raises:
            NoCurrentRunner: no runner is open, or several are.
        """
        return cast("Self", current())

    # registering jobs

    def register(self, job: JobClassT = _MISSING) -> JobClassT:
        """Register a `Job` class. You can use it as a decorator.

        Raises:
            AlreadyStarted: the runner has started.
            DuplicateKind: another class or function has the same kind.
            DefinitionError: the class is not a valid job.
        """
        if job is _MISSING:
            raise DefinitionError("@runner.register() takes no parentheses; write @runner.register above the class")
        self._registry.add_class(job)
        return job

    def job(self, kind: str = _MISSING, **options: Unpack[OptionArgs]) -> FunctionDecorator:
        """Register a function of (payload, ctx) as a job: `@runner.job("reports:generate", queue="reports")`.

        Its annotations give the types of payload and result: any type that pydantic supports. To enqueue a job, write
        `runner.enqueue(generate.job(payload))`. You can still call `generate(payload, ctx)` directly.
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
        """Register a function of (bytes, ctx) that returns bytes or None. Nothing is validated."""
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
        """Call `callback(record, outcome)` after each job that this runner completes.

        Keep the callback short: while it runs, no other outcomes are recorded. Its exceptions are logged. If it has a
        parameter `exception`, it receives None there.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        _check_parentheses(callback, "on_completed")
        self._observers.on_completed(callback)
        return callback

    def on_discarded(self, callback: CallbackT = _MISSING) -> CallbackT:
        """Call `callback(record, outcome)` after each job that this runner discards.

        Keep the callback short: while it runs, no other outcomes are recorded. Its exceptions are logged. If it has a
        parameter `exception`, it receives the handler's exception with its traceback, or None if nothing was raised.
        When a worker dies during a job's last attempt, the runner that rescues the job discards it; nothing was raised.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
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
        """Store a job that is due now or at `run_at`: an aware datetime, or a delay by the store's clock.

        Returns:
            A handle to the stored job, or to the existing job with the same id or unique key.

        Raises:
            InvalidPayload: the payload does not validate, or does not survive a round trip through JSON; nothing was
                stored.
            PayloadTooLarge, UnknownKind, InvalidArgument: nothing was stored.
            Unavailable: nothing was stored.
            OutcomeUnknown: the job may have been stored. Repeat the call with the same `id`; the error has it in `ids`.
        """
        if more:
            raise InvalidArgument(
                f"enqueue got a second positional argument, {safe_repr(more[0])}; put the payload into the job: "
                "runner.enqueue(generate.job(payload)) or runner.enqueue(SendWelcome(user_id=7))"
            )
        definition, payload = self._registry.resolve(job)
        return self._insert_one(definition, definition.encode(payload), run_at, options)

    def enqueue_in(self, delay: timedelta, job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]) -> Handle[R]:
        """Store a job that is due after a delay. See `enqueue`."""
        _check_order(delay, options, "enqueue_in(delay, job)")
        validation.not_negative(delay, "delay")
        return self.enqueue(job, run_at=delay, **options)

    def enqueue_at(self, when: datetime, job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]) -> Handle[R]:
        """Store a job that is due at an aware datetime. See `enqueue`."""
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
        """Store several jobs, all or none, due now or at `run_at`. `Enqueue(job, ...)` sets the options of one job.

        Returns:
            One handle per job, in the order given. Empty if there are no jobs.

        Raises:
            The errors of `enqueue`, and `InvalidArgument` for more jobs than the backend's `max_batch`.
            OutcomeUnknown: the jobs may have been stored. Repeat the call with the same `Enqueue` items, or with the
                ids in the error's `ids`.
        """
        check_jobs(jobs)
        check_options(options)
        if own := options.keys() - BatchOptions.__annotations__.keys():
            shown = ", ".join(sorted(own))
            raise InvalidArgument(f"{shown} cannot apply to a whole batch; set it for each job: Enqueue(job, ...)")
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
        """Store a job by its kind and encoded payload. The payload is validated unless the kind is a raw one."""
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
        return [Handle.of(result) for result in inserted]

    # inspecting and changing jobs

    def get(self, job: Handle[Any] | UUID) -> Record:
        """Return the current record of a job; raise `JobNotFound` if it does not exist."""
        id = _id(job)
        try:
            return self.backend.get([id])[id]
        except KeyError:
            raise JobNotFound(f"job {id} was not found: it never existed, or it was deleted or purged") from None

    @overload
    def result(self, job: Handle[R], *, timeout: timedelta = ...) -> R: ...
    @overload
    def result(self, job: UUID, *, timeout: timedelta = ...) -> Any: ...
    def result(self, job: Handle[Any] | UUID, *, timeout: timedelta = timedelta(0)) -> Any:
        """Return the result of a job, waiting up to `timeout` for the job to finish.

        Raises:
            NotFinished: the job did not finish in time.
            JobDiscarded, JobCancelled: the job has no result, and gets none unless it is requeued.
            JobNotFound: the job was deleted or purged, and its result with it.
        """
        deadline = monotonic() + validation.not_negative(timeout, "timeout").total_seconds()
        pause = FIRST_PAUSE
        while (record := self.get(job)).state not in FINAL and (left := deadline - monotonic()) > 0:
            sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)
        return read_result(self._registry, record)

    def cancel(self, which: Which) -> int:
        """Cancel a job, or all jobs that match a filter: waiting jobs end now, running jobs are asked to stop.

        Returns:
            How many jobs changed; 0 for a job that had already finished.
        """
        return self._in_bulk(self.backend.cancel, which)

    def requeue(self, which: Which) -> int:
        """Run a retrying or finished job again now, or all that match a filter; return how many were requeued."""
        return self._in_bulk(self.backend.requeue, which)

    def delete(self, which: Which) -> int:
        """Delete the record of a job, or of all jobs that match a filter, except running ones; return how many."""
        return self._in_bulk(self.backend.delete, which)

    def _in_bulk(self, change: Callable[..., Sequence[UUID]], which: Which) -> int:
        filter = which if isinstance(which, Filter) else Filter(ids=[_id(which)])
        reached: set[UUID] = set()
        while True:
            changed = change(filter, limit=_BULK)
            new = set(changed) - reached
            reached |= new
            if len(changed) < _BULK or not new:  # stops on jobs that workers put back, or it may never end
                return len(reached)


def _id(job: object) -> UUID:
    if isinstance(job, Handle):
        return job.id
    if isinstance(job, UUID):
        return job
    instead = f": uuid.UUID({job!r})" if isinstance(job, str) and len(job) == _UUID_LENGTH else ""
    raise InvalidArgument(
        f"{safe_repr(job)} is not a job id; pass a uuid.UUID{instead} or the handle that enqueue returned"
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
        raise InvalidArgument(f"the job was passed as the first argument; write {call}")
    if "run_at" in options:
        raise InvalidArgument(f"run_at was passed to {call}, which already sets the time; use enqueue(job, run_at=...)")

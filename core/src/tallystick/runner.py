"""The runner of an application: register, enqueue, inspect and change jobs.

It inherits `start`, `stop` and `close` from `Lifecycle`, and the methods about schedules from `RunnerSchedules`.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from time import sleep
from typing import Any, Never, TypeVar, overload
from uuid import UUID

from typing_extensions import Unpack

from . import misuse, pauses, validation
from .async_bridge import async_variant, hop
from .bulk import Which, as_filter, change_all
from .definition import Call, Definition, FunctionDecorator, Handler
from .enqueueing import BatchOptions, Enqueue, EnqueueOptions, check_jobs, new_record, new_records
from .errors import InvalidArgument, JobNotFound, NotFinished, OutcomeUnknown
from .handle import Handle, job_id
from .job import Job
from .misuse import MISSING
from .observers import Callback
from .options import OptionArgs
from .records import NewRecord, Record
from .results import read_result
from .runner_schedules import RunnerSchedules

R = TypeVar("R")
JobClassT = TypeVar("JobClassT", bound=type[Job[Any]])
CallbackT = TypeVar("CallbackT", bound=Callback)


class Runner(RunnerSchedules):
    """An application's jobs, its store and, once started, its worker.

    `Runner("sqlite:///jobs.db", concurrency=20)` takes the settings of `Settings` as arguments. Settings that you leave
    out come from the environment. The first use opens the store, so a module can create its runner on import.

    Each `a...` method is the async variant of a method. It makes the call in a thread, so the event loop never waits
    for the store. A `transaction` that belongs to the event loop, such as an `AsyncSession`, is used on that loop.

    Raises:
        ConfigurationError: a setting is invalid.
    """

    def register(self, job: JobClassT = MISSING) -> JobClassT:
        """Register a `Job` class. You can use it as a decorator.

        Raises:
            AlreadyStarted: the runner has started.
            DuplicateKind: another class or function has the same kind.
            DefinitionError: the class is not a valid job.
        """
        misuse.check_class(job)
        self._registry.add_class(job)
        return job

    def job(self, kind: str = MISSING, **options: Unpack[OptionArgs]) -> FunctionDecorator:
        """Register a function of (payload, ctx) as a job: `@runner.job("reports:generate", queue="reports")`.

        Its annotations give the types of payload and result: any type that pydantic supports. To enqueue a job, write
        `runner.enqueue(generate.job(payload))`. You can still call `generate(payload, ctx)` directly.
        """
        misuse.check_kind(kind, "job")
        return self._registry.decorator(kind, options, Definition.of_function)

    def raw(
        self, kind: str = MISSING, **options: Unpack[OptionArgs]
    ) -> Callable[[Handler[bytes, bytes | None]], Definition[bytes, bytes | None]]:
        """Register a function of (bytes, ctx) that returns bytes or None. Nothing is validated."""
        misuse.check_kind(kind, "raw")
        return self._registry.decorator(kind, options, Definition.raw)

    @property
    def definitions(self) -> Mapping[str, Definition[Any, Any]]:
        """The registered jobs by kind."""
        return self._registry

    def on_completed(self, callback: CallbackT = MISSING) -> CallbackT:
        """Call `callback(record, outcome)` after each job that this runner completes.

        Keep the callback short: while it runs, no other outcomes are recorded. Its exceptions are logged. If it has a
        parameter `exception`, it receives None there.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        misuse.check_callback(callback, "on_completed")
        self._observers.on_completed(callback)
        return callback

    def on_discarded(self, callback: CallbackT = MISSING) -> CallbackT:
        """Call `callback(record, outcome)` after each job that this runner discards.

        Keep the callback short: while it runs, no other outcomes are recorded. Its exceptions are logged. If it has a
        parameter `exception`, it receives the handler's exception with its traceback, or None if nothing was raised.
        When a worker dies during a job's last attempt, the runner that rescues the job discards it; nothing was raised.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        misuse.check_callback(callback, "on_discarded")
        self._observers.on_discarded(callback)
        return callback

    def enqueue(
        self,
        job: Job[R] | Call[R],
        *more: Never,
        run_at: datetime | timedelta | None = None,
        **options: Unpack[EnqueueOptions],
    ) -> Handle[R]:
        """Store a job that is due now or at `run_at`: an aware datetime, or a delay by the store's clock.

        Returns:
            A handle to the stored job, or to the existing job with the same id or unique key. `on_conflict` decides
            whether the enqueue changes the job that holds the key.

        Raises:
            InvalidPayload: the payload does not validate, or does not survive a round trip through JSON; nothing was
                stored.
            PayloadTooLarge, UnknownKind, InvalidArgument: nothing was stored.
            Unavailable: nothing was stored.
            OutcomeUnknown: the job may have been stored. Repeat the call with the same `id`; the error has it in `ids`.
        """
        misuse.check_alone(more)
        definition, payload = self._registry.resolve(job)
        return self._insert_one(definition, definition.encode(payload), run_at, options)

    aenqueue = async_variant(enqueue)

    def enqueue_in(self, delay: timedelta, job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]) -> Handle[R]:
        """Store a job that is due after a delay. See `enqueue`."""
        misuse.check_time_first(delay, options, "enqueue_in(delay, job)")
        return self.enqueue(job, run_at=validation.not_negative(delay, "delay"), **options)

    aenqueue_in = async_variant(enqueue_in)

    def enqueue_at(self, when: datetime, job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]) -> Handle[R]:
        """Store a job that is due at an aware datetime. See `enqueue`."""
        misuse.check_time_first(when, options, "enqueue_at(when, job)")
        return self.enqueue(job, run_at=validation.utc(when, "when"), **options)

    aenqueue_at = async_variant(enqueue_at)

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
        transaction = options.pop("transaction", None)
        records = new_records(self._registry, jobs, {**options, "run_at": run_at})
        return self._insert(records, transaction) if records else []

    aenqueue_batch = async_variant(enqueue_batch)

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

    aenqueue_raw = async_variant(enqueue_raw)

    def get(self, job: Handle[Any] | UUID) -> Record:
        """Return the current record of a job; raise `JobNotFound` if it does not exist."""
        id = job_id(job)
        try:
            return self.backend.get([id])[id]
        except KeyError:
            raise JobNotFound(f"job {id} was not found: it never existed, or it was deleted or purged") from None

    aget = async_variant(get)

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
        for pause in pauses.until(timeout):
            with suppress(NotFinished):
                return self._result(job)
            sleep(pause)
        return self._result(job)

    @overload
    async def aresult(self, job: Handle[R], *, timeout: timedelta = ...) -> R: ...
    @overload
    async def aresult(self, job: UUID, *, timeout: timedelta = ...) -> Any: ...
    async def aresult(self, job: Handle[Any] | UUID, *, timeout: timedelta = timedelta(0)) -> Any:
        """See `result`. Holds no thread while it waits."""
        for pause in pauses.until(timeout):
            with suppress(NotFinished):
                return await hop(lambda: self._result(job))
            await asyncio.sleep(pause)
        return await hop(lambda: self._result(job))

    def cancel(self, which: Which) -> int:
        """Cancel a job, or all jobs that match a filter: waiting jobs end now, running jobs are asked to stop.

        Returns:
            How many jobs changed; 0 for a job that had already finished.
        """
        return len(change_all(self.backend.cancel, as_filter(which)))

    acancel = async_variant(cancel)

    def requeue(self, which: Which) -> int:
        """Run a retrying or finished job again now, or all that match a filter; return how many were requeued."""
        return len(change_all(self.backend.requeue, as_filter(which)))

    arequeue = async_variant(requeue)

    def delete(self, which: Which) -> int:
        """Delete the record of a job, or of all jobs that match a filter, except running ones; return how many."""
        return len(change_all(self.backend.delete, as_filter(which)))

    adelete = async_variant(delete)

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
        self._worker.check_served(records)
        return [Handle.of(result) for result in inserted]

    def _result(self, job: Handle[Any] | UUID) -> Any:
        return read_result(self._registry, self.get(job))

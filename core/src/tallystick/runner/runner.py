"""The runner of an application: enqueue, inspect and change jobs.

Its methods about jobs, queues, schedules, results, callbacks, services and lifespans are in the files of these names.
The classes there inherit `start`, `stop` and `close` from `Lifecycle`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Never, TypeVar
from uuid import UUID

from typing_extensions import Unpack

from ..async_bridge import async_variant, running_loop
from ..backends import callers
from ..contract import validation
from ..contract.outcomes import Cancel
from ..contract.records import NewRecord
from ..contract.state import State
from ..errors import InvalidArgument, OutcomeUnknown
from ..jobs import misuse
from ..jobs.declaration import Call, Declaration
from ..jobs.handle import Handle
from ..jobs.job_base import Job
from ..user_warnings import warn_of_blocking
from .bulk import Which, as_filter, change_all
from .callbacks import RunnerCallbacks
from .enqueueing import BatchOptions, Enqueue, EnqueueOptions, check_jobs, new_record, new_records
from .jobs import RunnerJobs
from .lifespan import RunnerLifespan
from .queues import RunnerQueues
from .results import RunnerResults
from .schedules import RunnerSchedules
from .services import RunnerServices

R = TypeVar("R")


class Runner(RunnerServices, RunnerCallbacks, RunnerResults, RunnerSchedules, RunnerQueues, RunnerJobs, RunnerLifespan):
    """An application's jobs, its store and, once started, its worker.

    `Runner("sqlite:///jobs.db", concurrency=20)` takes the settings of `Settings` as arguments. Settings that you leave
    out come from the environment. The first use opens the store, so a module can create its runner on import.

    Each `a...` method is the async variant of a method. It makes the call in a thread, so the event loop never waits
    for the store. A `transaction` that belongs to the event loop, such as an `AsyncSession`, is used on that loop.

    Raises:
        ConfigurationError: a setting is invalid.
    """

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
            NotSetUp: this is the first use of the store, inside a transaction that its setup would wait for. Nothing
                was stored. Call `start` or `tallystick setup` before.
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
        records = new_records(self._registry, self._settings, jobs, {**options, "run_at": run_at})
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

    def cancel(self, which: Which) -> int:
        """Cancel a job, or all jobs that match a filter: waiting jobs end now, running jobs are asked to stop.

        Returns:
            How many jobs changed; 0 for a job that had already finished.
        """
        changed = change_all(self.backend.cancel, as_filter(which))
        if changed and self._observers.watch_cancellations:
            self._report_cancelled(changed)
        return len(changed)

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
        definition: Declaration[Any, R],
        payload: bytes,
        run_at: datetime | timedelta | None,
        options: EnqueueOptions,
    ) -> Handle[R]:
        transaction = options.pop("transaction", None)
        record = new_record(definition, self._settings, payload, {**options, "run_at": run_at})
        return self._insert([record], transaction)[0]

    def _insert(self, records: Sequence[NewRecord], transaction: object | None) -> list[Handle[Any]]:
        records = self._observers.with_meta(records)
        if transaction is None:
            if running_loop() is not None:
                warn_of_blocking()
        elif not self._lazy_backend.is_open:
            self._open_in(transaction)
        try:
            with self._observers.calling("insert", lambda: [record.queue for record in records]):
                inserted = self.backend.insert(records, transaction=transaction)
        except OutcomeUnknown as exc:
            exc.ids = tuple(record.id for record in records)
            raise
        self._observers.enqueued(inserted)
        self._worker.check_served(records)
        return [Handle.of(result) for result in inserted]

    def _open_in(self, transaction: object) -> None:
        """Open the store while the caller has a transaction, which `setup` may have to wait for."""
        with callers.taking_part(transaction):
            _ = self.backend

    def _report_cancelled(self, changed: Sequence[UUID]) -> None:
        """Report the waiting jobs that a call cancelled. A running job is reported by the worker that ends it."""
        size = self.backend.capabilities.max_batch
        for start in range(0, len(changed), size):
            records = self.backend.get(changed[start : start + size]).values()
            ended = [record for record in records if record.state is State.CANCELLED and not record.cancel_requested]
            self._observers.settled([Cancel(record.claim) for record in ended], ended)

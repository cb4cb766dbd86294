"""The contract that every backend keeps. A runner uses a store only through this interface.

A backend is synchronous: its calls block. Many threads may call one backend at the same time. Everything here is
required of every backend, except the features that `Capabilities` declares. The conformance kit tests each sentence.

Six rules apply to every call:

- *Batches.* A call takes a sequence of items and returns a sequence. A call raises `InvalidArgument` for more than
  `max_batch` records, claims, outcomes, reports or ids, including the ids of a filter. It also raises
  `InvalidArgument` for a bare string or a single item in place of a batch, and for an item of another type. If a call
  with a `limit` returns fewer items, no other items were eligible, unless the method says otherwise.
- *Time.* With `now=None`, the backend reads its own clock. A given `now` replaces that clock in every comparison and
  every stored value of the call. The backend reads its clock during the call, even inside a caller's transaction.
  Datetimes are aware: a naive one raises `InvalidArgument`, and so does a delay that ends after the year 9999.
  Durations are elapsed time: a day is 24 hours, in any time zone of the process, the session or the server.
- *Claims.* `Claim(id, attempt)` identifies one attempt of a job. An attempt below 0 or above 2**63 - 1 raises
  `InvalidArgument`; any other attempt that differs from the record's is stale. A call about an attempt has an effect
  only if the record is running and has the same `attempt`. The check and the change are one atomic step.
- *Rejections.* A call that raises `InvalidArgument` or `Unsupported` has no effect at all.
- *Failures.* `Unavailable` means that nothing happened. `OutcomeUnknown` means that the call may have taken effect.
  `Closed` means that the backend was closed before or during the call.
- *Processes.* A client belongs to the process that opened it. In a forked child, its calls raise `Closed`, its `close`
  has no effect, and the parent's client keeps working. A client that the child opens works, regardless of what the
  parent's threads were doing at the fork.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import ClassVar, Self
from uuid import UUID

from ..diagnostics import Finding
from ..errors import Unsupported
from .changes import Changes
from .filters import Filter, Order
from .outcomes import Outcome
from .progress_report import ProgressReport
from .records import Capabilities, Claim, Hold, Inserted, NewRecord, Queue, Record, Stats
from .registers import Beat, Meter, MeterDelta, WorkerInfo
from .schedules import Advance, NewSchedule, Schedule
from .state import State

CONTRACT_VERSION = 2


class Backend(ABC):
    """A store of jobs. The methods follow the order of a job's life."""

    contract_version: ClassVar[int]
    """The `CONTRACT_VERSION` that this class implements, as a literal.

    A core with another contract version rejects the class.
    """

    @classmethod
    @abstractmethod
    def from_url(cls, url: str) -> Self:
        """Open a client of the store at a URL. Only `setup` creates the store.

        Raises:
            ConfigurationError: The URL is malformed, or has an option that this backend does not know.
        """

    @classmethod
    @abstractmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        """Return the URL of a separate store named `namespace`: another file, schema or database.

        The new URL keeps the other options. Use it in test suites to give each test its own store.

        Args:
            namespace: 1 to 32 characters of a-z, 0-9 and underscore.
        """

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """The optional features and the limits of this backend."""

    @abstractmethod
    def setup(self) -> None:
        """Create the store, or migrate it to this version. Change nothing else.

        Atomic: Other processes see the store as it was before or after the call. Eight calls may run at the same time.
        Repeat: Has no effect.

        Raises:
            ForeignStore: Tallystick did not create the tables or files at this URL; they stay unchanged. Every call
                that would read or write them raises `ForeignStore` or `NotSetUp`.
        """

    def script(self) -> str:
        """Return the statements with which `setup` creates a new store, for users who run their own migrations.

        Raises:
            Unsupported: `setup` of this backend does not run statements; this is the default.
        """
        raise Unsupported(f"{type(self).__name__} has no setup script; call setup()")

    @abstractmethod
    def teardown(self) -> None:
        """Remove the store that `setup` created, with all its records. Change nothing else.

        Repeat: Has no effect. A later `setup` creates an empty store.
        """

    @abstractmethod
    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        """Insert new jobs as `pending`, including jobs that are due in the future.

        When: A record is a duplicate, and is not inserted, if its id is stored already or its unique key is held. An
            earlier record of the same batch counts as stored. The id is checked before the unique key.
        Keys: `unique_until` of the holder decides how long it holds the key. A time has passed if created_at + time <=
            now. The next insert with this key then frees it for good, even if a later call has an earlier now.
        Conflict: If another job holds the key, `on_conflict` of the new record decides. `skip` changes nothing.
            `replace` sets payload, tags and meta of the holder. `debounce` also sets its run_at: to that of the new
            record, but at most to created_at + `debounce_max` of the holder. Both set `updated_at` to now, and keep
            everything else. They change only a `pending` or `retrying` holder of the same kind; any other stays as it
            is. The check and the change are one step. A duplicate by id changes nothing.
        Atomic: All records are inserted, or none. When two calls race for a unique key, exactly one wins. Other
            clients may see part of the batch while the call runs; the rest follows.
        Repeat: Has no effect for ids that are stored. A repeated `replace` or `debounce` counts as a new call, because
            it stored no id.

        Args:
            transaction: The caller's open transaction, if the backend declares `transactions`: the jobs exist once it
                commits, and never exist if it rolls back. Each backend documents which objects it accepts; it always
                accepts one that its method `transaction` opened.

        Returns:
            One `Inserted` for each record, in the order given: the new record, or the stored record that it
            duplicates (the record with the same id, or the holder of the key). It shows the record as this step of the
            batch left it. Empty for an empty batch.

        Raises:
            PayloadTooLarge: A payload has more than `max_payload_bytes`.
            Unsupported: You passed a transaction, and the backend does not declare `transactions`.
        """

    def transaction(self) -> AbstractContextManager[object]:
        """Open a transaction on a new connection, to pass to `insert` and `settle`.

        The transaction commits when the `with` block ends, and rolls back on an exception. An application that has its
        own open transaction passes that one instead.

        Raises:
            Unsupported: The backend does not declare `transactions`.
        """
        raise Unsupported(f"{type(self).__name__} does not support transactions; use a backend that does")

    @abstractmethod
    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        """Claim due jobs for a worker: set them `running`, with attempt + 1 and a lease until now + lease.

        When: The job is `pending` or `retrying`, run_at <= now, its queue is in `queues`, and the queue is not paused.
        Order: By priority (higher first), then run_at, then id (as bytes), among the jobs that no other call holds.
        Atomic: Exactly one caller gets each attempt. A claim never waits for a job that another claim has locked.
            It returns every eligible job up to `limit`, and fewer only while other calls compete for the same jobs,
            even if those calls change nothing. An earlier try of this call that lost its connection counts as such.
        Keys: The first claim of a job frees a unique key that is held until the job has `started`, for good.
        Cost: Does not grow with the backlog, with future jobs or with finished jobs.

        Args:
            queues: Names of queues. Duplicates have no effect.
            limit: The maximum number of jobs to claim, at least 1.
            worker: The worker's name, for display. 1 to 255 printable characters.

        Returns:
            The claimed records, in the order above. Empty if no job is due.
        """

    @abstractmethod
    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        """Extend the leases of claims to now + lease. An expired lease is extended too, if not yet rescued.

        Returns:
            One `Hold` for each claim, in the order given: `HELD`, `CANCEL_REQUESTED` (held, but the worker should
            stop), or `LOST` (the attempt has ended; nothing changed).
        """

    @abstractmethod
    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        """Store the progress of attempts, each in place of its earlier one.

        When: The claim is current.
        Atomic: Each report is stored or rejected independently. The last of two reports for one claim stays.
        Repeat: Sets the time of the report again.

        The progress stays when the attempt ends, until the next claim of the job clears it.

        Returns:
            One bool for each report, in the order given: True if it was stored, False if the claim was stale and
            nothing changed.
        """

    @abstractmethod
    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        """Record the outcomes of attempts.

        When: The claim is current. If cancellation of the job was requested, `Retry` and `Release` end the job as
            `cancelled`.
        Errors: `Retry` and `Discard` set `last_error` and append to `errors`, which keeps the latest 20. An entry has
            the first 255 characters of the type, the first 1,000 of the message, and the last 8,000 of the traceback.
        Atomic: Each outcome is applied or rejected independently. The first of two outcomes for one claim wins.
        Repeat: Has no effect: an outcome that was applied is rejected the second time.

        Args:
            transaction: The caller's open transaction, as for `insert`: the attempts end when it commits, and keep
                running if it rolls back. Until then, a call on the same jobs may wait for the transaction, or force it
                to roll back; its commit then raises `Unavailable`.

        Returns:
            One bool for each outcome, in the order given: True if it was applied, False if the claim was stale and
            nothing changed.

        Raises:
            PayloadTooLarge: A result has more than `max_payload_bytes`; no outcome of the batch was applied.
            Unsupported: You passed a transaction, and the backend does not declare `transactions`.
        """

    @abstractmethod
    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        """Rescue running jobs with an expired lease: set them `retrying`, due now, with the error `LEASE_EXPIRED`.

        When: lease_until <= now. A job without attempts left becomes `discarded`, and a job with a requested
            cancellation becomes `cancelled`. Each rescue appends to `errors`, as `settle` does.
        Order: If more than `limit` leases have expired, the backend chooses which jobs to rescue.
        Atomic: Exactly one caller rescues each job. A rescue may skip a job while another call competes for it, even if
            that call changes nothing.

        Returns:
            The records that this call changed, after the change. Empty if no lease has expired.
        """

    @abstractmethod
    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        """Return the records with these ids, by id, without ids that are not stored.

        They include their `errors` and their `progress`.
        """

    @abstractmethod
    def list(
        self,
        filter: Filter,
        *,
        limit: int,
        order: Order = "id",
        after: UUID | tuple[datetime, UUID] | None = None,
    ) -> Sequence[Record]:
        """Return one page of matching records.

        When: For `id`, every matching record. For `finished_at`, only jobs in a final state. For `run_at`, only waiting
            jobs.
        Order: For `id`, newest first: by id (as bytes), descending. For `finished_at`, the latest first, then by id,
            descending. For `run_at`, the earliest first, then by id, ascending.
        Cost: Does not grow with the number of records, if the filter is empty or has ids only.

        Args:
            after: Return only the records behind this position. For `id`, pass the last id of the previous page. For
                the other orders, pass the pair of its time and id.

        Raises:
            Unsupported: The filter has `error_text`, and the backend does not declare `error_text`. The same holds for
                every call with a filter.
        """

    @abstractmethod
    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        """Count the matching records, up to `at_most`.

        The count is exact if no other call runs.

        Cost: Does not grow with the number of records above `at_most`, if the filter is empty.

        Args:
            at_most: From 1 to 1,000,000.

        Returns:
            The number of matching records, or `at_most` if there are more.
        """

    @abstractmethod
    def stats(self, *, now: datetime | None = None) -> Stats:
        """Count the records by state, kind and queue.

        Counts are exact if no other call runs, and always count each record in exactly one state.
        """

    @abstractmethod
    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        """Cancel waiting jobs, and request that running jobs stop.

        A waiting job becomes `cancelled`. A running job gets `cancel_requested`: its worker should stop it.

        When: The job is not final and has no `cancel_requested` yet. To cancel all matching jobs, repeat the call until
            it returns no ids.
        Atomic: Each job is changed independently.

        Returns:
            The ids of the changed jobs, at most `limit`.
        """

    @abstractmethod
    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        """Requeue jobs by hand: set them `pending` and due now, with at least one attempt left.

        When: The job is `retrying` or final, and no other job holds its unique key; the job then holds the key again.
            If several matching jobs have the same key, the backend chooses one of them. A job that was claimed and
            holds its key until it has `started`, and a job whose time has passed, neither need nor take the key.
        Keys: If the time of the other job has passed, it frees the key for good.
        Atomic: Each job is changed independently.

        Returns:
            The ids of the requeued jobs, at most `limit`.
        """

    @abstractmethod
    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        """Delete the records of jobs that are not running.

        Atomic: Each record is deleted independently.

        Returns:
            The ids of the deleted records, at most `limit`.
        """

    @abstractmethod
    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        """Change run_at, priority or queue of waiting jobs.

        When: The job is `pending` or `retrying`, and a given value differs from its own. To change all matching jobs,
            repeat the call until it returns no ids.
        Atomic: Each job is changed independently. The check that it waits and the change are one step.

        A new queue becomes known. A job that becomes due ends a `wait` for its queue.

        Returns:
            The ids of the changed jobs, at most `limit`.
        """

    @abstractmethod
    def purge(
        self,
        states: Sequence[State],
        *,
        before: datetime,
        limit: int,
        since: datetime | None = None,
        kinds: Collection[str] | None = None,
        except_kinds: Collection[str] = (),
    ) -> int:
        """Delete the records of jobs that finished before a given time.

        When: The state is in `states`, since <= finished_at < before (None: no lower bound), the kind is in `kinds`
            (None: any), and the kind is not in `except_kinds`.
        Cost: Does not grow with the records that finished at another time.

        Args:
            states: Final states. Any other state raises `InvalidArgument`.

        Returns:
            The number of deleted records, at most `limit`.
        """

    @abstractmethod
    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        """Store whole records, as another store returned them: in any state, with every field and their `errors`.

        When: A record is stored if its id is not stored. An earlier record of the same batch counts as stored. A stored
            record with the id stays as it is.
        Keys: A record takes its unique key if it holds it in its state, and its time has not passed at now. If the time
            of another holder has passed, that job frees the key for good. If another job holds the key, a final record
            is stored without it, for good. Any other record makes the call raise `InvalidArgument`.
        Time: `now` decides only whether these times have passed. The times of a record are rounded to `time_precision`:
            run_at and lease_until up, and every other time down.
        Atomic: All records are stored, or none. Other clients may see part of the batch while the call runs; the rest
            follows.
        Repeat: Has no effect for ids that are stored.

        Queues become known, and a due job ends a `wait` for its queue. A running record keeps its attempt and its
        lease: its claim is current, and `rescue` takes the job once the lease has expired.

        Returns:
            One bool for each record, in the order given: True if it was stored, False if its id was stored already.

        Raises:
            InvalidArgument: A record has a value that no job can have, e.g. a final one without `finished_at`, or needs
                a unique key that another job holds. The message has its id.
            PayloadTooLarge: A payload or a result has more than `max_payload_bytes`.
        """

    @abstractmethod
    def pause(self, queue: str) -> None:
        """Pause a queue: no worker claims its jobs until `resume`. The store keeps the setting.

        Repeat: Has no effect.
        """

    @abstractmethod
    def resume(self, queue: str) -> None:
        """Resume a paused queue, so that workers claim its jobs again.

        Repeat: Has no effect. Resuming an unknown queue has no effect either: the queue stays unknown.
        """

    @abstractmethod
    def queues(self) -> Sequence[Queue]:
        """Return the known queues, sorted by name. The first insert or `pause` makes a queue known, for good."""

    @abstractmethod
    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        """Store schedules, or change the stored ones with the same names.

        When: A schedule is new if its name is not stored. A new schedule begins with the `last_tick`, `paused` and
            `created_at` of `NewSchedule`. Both times are rounded down to `time_precision`. A stored schedule stays as
            it is if it has the same `declared` (not None), or if its definition is equal: every field of `NewSchedule`
            up to `declared`. Otherwise the call replaces its definition. `created_at`, `last_tick` and `paused` stay.
            So does `next_tick`, unless rule, zone, start or end differ.
        Atomic: Each schedule is stored or changed independently. Each change raises `revision` by 1.
        Repeat: Has no effect.

        Returns:
            The stored schedules, in the order given.

        Raises:
            InvalidArgument: Two schedules have the same name. Nothing was stored.
            PayloadTooLarge: A payload has more than `max_payload_bytes`. Nothing was stored.
        """

    @abstractmethod
    def schedules(self, names: Collection[str] | None = None) -> Sequence[Schedule]:
        """Return the schedules with these names, or all of them, sorted by name (as code points)."""

    @abstractmethod
    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        """Return the schedules that fire next.

        When: The schedule is not paused, and has a `next_tick`, past or future.
        Order: By `next_tick`, then name.
        Cost: Does not grow with the number of jobs.
        """

    @abstractmethod
    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        """Fire ticks of schedules: insert the job of each tick, and move the schedule to its next tick.

        The call inserts `schedule.job(tick)` for each tick, made from the stored schedule. The job's id is derived from
        the schedule's name and the tick, and its `run_at` is the tick. A tick inserts no job if the id is stored
        already or the unique key is held. The queue becomes known, and the jobs end a `wait` for it.

        When: The schedule is stored and has this `revision`. Each tick is at most now, and later than `last_tick`. A
            paused schedule fires no ticks. Any other advance is rejected and changes nothing.
        Atomic: Each advance is applied or rejected independently. The check, the jobs and the move are one step, so any
            number of callers fires each tick once. After a crash of the caller, other clients may see the move before
            the jobs; the jobs follow with the next call of `advance` or `due_schedules`.
        Repeat: Has no effect: an advance that was applied is rejected the second time.

        An applied advance sets `next_tick` and `paused`, sets `last_tick` to the last of its ticks, and raises
        `revision` by 1. It sets `updated_at` only if `paused` changes.

        Returns:
            One bool for each advance, in the order given: True if it was applied.
        """

    @abstractmethod
    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        """Remove schedules. Their jobs stay.

        Atomic: Each schedule is removed independently. Exactly one caller removes each.
        Repeat: Has no effect.

        Returns:
            The names of the schedules that this call removed, sorted.
        """

    @abstractmethod
    def beat(self, beat: Beat, *, ttl: timedelta, now: datetime | None = None) -> None:
        """Store a worker's description of itself, in place of its earlier one. The worker is alive until now + ttl.

        A `ttl` of zero removes the worker. The call also removes workers whose ttl ended more than a day ago.

        Order: If two beats of one worker race, one of them stays.

        Args:
            ttl: From zero to a day.
        """

    @abstractmethod
    def workers(self) -> Sequence[WorkerInfo]:
        """Return the workers, sorted by name (as code points), including those whose ttl has ended."""

    @abstractmethod
    def meter(self, deltas: Sequence[MeterDelta], *, now: datetime | None = None) -> None:
        """Add numbers to the meters of minutes.

        When: The minute began at most seven days before now. The call drops an older delta, and also removes the stored
            minutes that are older.
        Atomic: All deltas are added, or none. Other clients may see part of them while the call runs. Additions of
            several callers to one minute all count.
        Repeat: Adds the numbers again.

        Raises:
            InvalidArgument: A minute begins more than five minutes after now. Nothing was added.
        """

    @abstractmethod
    def meters(self, since: datetime, until: datetime, *, step: timedelta) -> Sequence[Meter]:
        """Return the meters of a range of time, added up by steps.

        When: since <= minute < until.
        Order: By the start of the step, then queue, then kind (as code points). A step without numbers has no entry.

        Args:
            step: A whole number of minutes. Steps begin at multiples of it since 1970 in UTC. So the first and the last
                step may lie partly outside the range.

        Raises:
            InvalidArgument: `since` is later than `until`, or the range has more than 10,080 steps.
        """

    @abstractmethod
    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        """Wait until a job in these queues may be due. Return True if one is due or becomes due, False at the timeout.

        True is a hint: the next claim may still find no job. Poll as well, and do not rely on hints alone. A wait
        that `close` ends returns False or raises `Closed`.
        """

    def diagnose(self, *, concurrency: int | None = None) -> Sequence[Finding]:
        """Check the store for common problems, the most basic first. Change nothing.

        A store that is not set up, or has the schema of another version, is a finding too.

        Args:
            concurrency: The concurrency of the workers that use the store, if you know it.

        Returns:
            One finding for each check, with advice if there is a problem. Empty if the backend has no checks; this is
            the default.

        Raises:
            Unavailable: The backend cannot reach the store.
        """
        return ()

    @abstractmethod
    def close(self) -> None:
        """Close the client: release its connections and wake every `wait`.

        Later calls raise `Closed`. Only `capabilities`, `script` and `diagnose` may still return a value. A call that
        runs during `close` ends soon: it returns normally, raises `Closed` without effect, or raises `OutcomeUnknown`.

        Repeat: Has no effect.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

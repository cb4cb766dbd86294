"""The contract: what a store of jobs promises. It is all that the runner knows of a store.

A backend is synchronous, blocking and safe to call from many threads. Beyond `Capabilities`, everything here is core:
the conformance kit tests each sentence, on any backend.

Six rules hold throughout:

- *Batches.* A call takes and returns sequences; one is a batch of one. More than `max_batch` records, claims, outcomes
  or ids, those of a filter too: `InvalidArgument`. A bare string, a single item or an item of another type in place
  of a batch: `InvalidArgument`. Where a call has a `limit`, fewer returned means there were no more.
- *Time.* `now=None` is the backend's own clock; a given `now` stands for it in each comparison and each value written.
  The clock is read while the call runs, also in a caller's transaction.
  Times are aware; a naive one is refused with `InvalidArgument`, and so is a delay that ends after the year 9999.
  Lengths of time are elapsed time: a day is 24 hours, in any zone of the process, the session or the server.
- *Claims.* `claim` hands out `Claim(id, attempt)`. An attempt below 0 or above 2**63 - 1 is refused with
  `InvalidArgument`; any other that is not the record's own is lost. A call about an attempt carries its claim, and
  takes effect only where the record is running and `attempt` is the record's own, decided in the same atomic step that
  changes it.
- *Refusals.* What is refused with `InvalidArgument` or `Unsupported` has had no effect at all.
- *Failures.* `Unavailable`: nothing happened. `OutcomeUnknown`: it may have. `Closed`: after `close`.
- *Processes.* A client belongs to the process that opened it. In a forked child its calls raise `Closed`, its `close`
  is harmless, and the parent's client works on. A client that the child opens works, whatever the parent was doing.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import ClassVar, Self
from uuid import UUID

from .diagnostics import Finding
from .errors import Unsupported
from .outcomes import Outcome
from .records import Capabilities, Claim, Filter, Hold, Inserted, NewRecord, Queue, Record, Stats
from .state import State

CONTRACT_VERSION = 1


class Backend(ABC):
    """A store of jobs. The methods stand in the order of a job's life."""

    contract_version: ClassVar[int]
    """The `CONTRACT_VERSION` that this class was written for, as a literal.

    A core of another version rejects the class.
    """

    @classmethod
    @abstractmethod
    def from_url(cls, url: str) -> Self:
        """Open the store at a URL, creating nothing before `setup`.

        Raises:
            ConfigurationError: the URL is malformed, or has an option that this backend does not know.
        """

    @classmethod
    @abstractmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        """Return the URL of a separate store beside this one, called `namespace`: another file, schema or database.

        The URL's other options are kept. Test suites use it to give each test a store of its own.

        Args:
            namespace: 1 to 32 characters of a-z, 0-9 and underscore.
        """

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this backend can do beyond the core."""

    @abstractmethod
    def setup(self) -> None:
        """Create the store, or migrate it to this version; touch nothing else.

        Atomic: other processes see the store before or after. Eight may do it at once.
        Repeat: harmless.

        Raises:
            ForeignStore: what is there was not made by Tallystick; it is left as it was. A call that would read or
                write it raises this or `NotSetUp`.
        """

    def script(self) -> str:
        """Return what `setup` executes where there is nothing yet, for people who run their own migrations.

        Raises:
            Unsupported: the store is not made by statements that can be shown, as by default.
        """
        raise Unsupported(f"{type(self).__name__} is not set up by statements that can be shown; call setup()")

    @abstractmethod
    def teardown(self) -> None:
        """Remove what `setup` made, with every record in it; touch nothing else.

        Repeat: harmless. After it, `setup` starts afresh.
        """

    @abstractmethod
    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        """Store new jobs as `pending`, those due in the future too.

        When: a record whose id is stored already, or whose unique key is held, is a duplicate and is not stored. A
            record counts as stored for those behind it in the same batch. The id is looked at first.
        Atomic: all or nothing. Of two calls that race for a unique key, one wins. Before this call returns, others may
            see a part of the batch; the rest follows.
        Repeat: harmless with the same ids.

        Args:
            transaction: The caller's own open transaction to take part in, where `transactions` is declared:
                the jobs are there when it commits, and never were when it rolls back. Which objects will do, each
                backend says; one that `transaction` opened always does.

        Returns:
            One answer for each record, in the order given: the record as stored, or the duplicate that it met (the
            record of the same id, or the holder of the key). Empty for an empty batch.

        Raises:
            PayloadTooLarge: a payload has more than `max_payload_bytes`.
            Unsupported: a transaction was given and `transactions` is not declared.
        """

    def transaction(self) -> AbstractContextManager[object]:
        """Open a transaction on a connection of its own, as an application would, to be given to `insert` and `settle`.

        What the block is given commits at its end, and rolls back on an exception. An application that has its own
        connection passes that instead.

        Raises:
            Unsupported: `transactions` is not declared.
        """
        raise Unsupported(f"{type(self).__name__} has no transactions to take part in")

    @abstractmethod
    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        """Hand due jobs to this caller, each to it alone, as `running` with attempt + 1 and a lease until now + lease.

        When: `pending` or `retrying`, run_at <= now, in one of `queues`, and that queue not paused.
        Order: priority (higher first), then run_at, then id (as bytes), among what no other call holds.
        Atomic: each job is handed to one caller. Never waits for a job that another claim has. Never returns fewer than
            it could, except while other calls, or a try of this one that lost its connection, are changing the same
            records, or come too late to change them.
        Cost: does not grow with the backlog, with future jobs or with finished ones.

        Args:
            queues: Names; repeats are harmless.
            limit: The most jobs to claim, 1 or more.
            worker: The claimer's name, for people; 1 to 255 printable characters.

        Returns:
            The claimed records, in claiming order. Empty when nothing is due.
        """

    @abstractmethod
    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        """Hold claims until now + lease. A lease that ran out but was not rescued is held again.

        Returns:
            One answer for each claim, in the order given: `HELD`, `CANCEL_REQUESTED` (held, and the owner should
            stop), or `LOST` (the attempt has ended; nothing was changed).
        """

    @abstractmethod
    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        """Record how attempts ended.

        When: the claim is current. A job whose cancellation was requested does not run again: its `Retry` or `Release`
            ends it as `cancelled`.
        Atomic: each is applied or refused on its own; the first of two outcomes for one claim wins.
        Repeat: harmless; what was applied is refused the second time.

        Args:
            transaction: The caller's own open transaction to take part in, as at `insert`: the attempts have ended when
                it commits, and go on when it rolls back. Until then others may have to wait for it, or undo it:
                its commit raises `Unavailable`.

        Returns:
            One answer for each outcome, in the order given: True where it was applied, False where the claim was
            stale and nothing was changed.

        Raises:
            PayloadTooLarge: a result has more than `max_payload_bytes`; none was applied.
            Unsupported: a transaction was given and `transactions` is not declared.
        """

    @abstractmethod
    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        """Take back running jobs whose lease has run out: `retrying` and due now, with `LEASE_EXPIRED` as the error.

        When: lease_until <= now. A job that has used up max_attempts is `discarded` instead, and one whose
            cancellation was requested is `cancelled`.
        Order: which of the expired are taken, when they are more than `limit`, is the backend's choice.
        Atomic: each job is rescued by one caller. What another call is asked to change meanwhile, or comes too late to
            change, may be left to the next rescue.

        Returns:
            The records that this call changed, as they are now. Empty when nothing has expired.
        """

    @abstractmethod
    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        """Return the records with these ids; one that is not there is left out."""

    @abstractmethod
    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        """Return one page of records, newest first: by id (as bytes), descending.

        Args:
            after: Only records whose id is lower: the last id of the page before.
        """

    @abstractmethod
    def stats(self, *, now: datetime | None = None) -> Stats:
        """Count the records. Exact when nothing else is going on, and never a record in no state or in two."""

    @abstractmethod
    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        """Cancel jobs: what waits ends as `cancelled`, and what runs is flagged for its owner to stop.

        When: not final, and not flagged already. So calling until nothing is returned reaches all.
        Atomic: each on its own.

        Returns:
            The ids that this call changed, at most `limit`.
        """

    @abstractmethod
    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        """Make jobs `pending` again and due now, with at least one attempt left: an operator's retry.

        When: `retrying` or final, and the job's unique key is its own or free (it holds the key again). Of several
            with one key, one is requeued, the backend's choice.
        Atomic: each on its own.

        Returns:
            The ids that this call changed, at most `limit`.
        """

    @abstractmethod
    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        """Remove the records of jobs that are not running.

        Atomic: each on its own.

        Returns:
            The ids that this call removed, at most `limit`.
        """

    @abstractmethod
    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        """Remove the records of jobs that finished before a moment.

        When: the state is in `states` and finished_at < before.

        Args:
            states: Final states only; another raises `InvalidArgument`.

        Returns:
            How many were removed, at most `limit`.
        """

    @abstractmethod
    def pause(self, queue: str) -> None:
        """Stop handing out a queue's jobs, on every worker, until `resume`; kept in the store. Repeat: harmless."""

    @abstractmethod
    def resume(self, queue: str) -> None:
        """Hand out a queue's jobs again. Repeat: harmless, also for a queue that nobody knows (it stays unknown)."""

    @abstractmethod
    def queues(self) -> Sequence[Queue]:
        """Return the known queues by name: those that were ever inserted into or paused."""

    @abstractmethod
    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        """Return True as soon as something in these queues may be due, at once if it is; False at the timeout.

        A hint: a claim afterwards may find nothing. Polling is the truth. A wait that `close` ends returns False, or
        raises `Closed`.
        """

    def diagnose(self, *, concurrency: int | None = None) -> Sequence[Finding]:
        """Look at what can go wrong with the store, in the order in which a person would; change nothing.

        A store that is not set up, or is another version's, is a finding too.

        Args:
            concurrency: That of the workers that use the store, where it is known.

        Returns:
            What was looked at, each with what to do; empty where there is nothing to look at, as by default.

        Raises:
            Unavailable: the store cannot be reached.
        """
        return ()

    @abstractmethod
    def close(self) -> None:
        """Give back connections and wake every `wait`. Repeat: harmless. Any other call raises `Closed`.

        Only `capabilities`, `script` and `diagnose` may still answer.

        A call under way ends soon: with its answer, with `Closed` and without effect, or with `OutcomeUnknown`.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

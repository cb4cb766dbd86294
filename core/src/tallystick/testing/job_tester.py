"""Control the jobs of a runner in a test: which are enqueued, when they run, and which time it is."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from threading import Lock
from typing import NamedTuple
from uuid import UUID

from ..contract import validation
from ..contract.backend import Backend
from ..contract.filters import Filter
from ..contract.outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..contract.records import Record
from ..contract.state import CLAIMABLE
from ..errors import CalledFromInside
from ..jobs.current import is_inside
from ..runner.runner import Runner
from ..worker.attempt import Attempt
from ..worker.execute import Ended
from .clock import Clock, length
from .enqueued import Enqueued, Wanted, all_records
from .step_worker import StepWorker, raise_failure
from .transactions import add_transactions, transaction

_LIMIT = 10_000


class Drained(NamedTuple):
    """How many attempts ended in each way. `released` counts those that a handler snoozed."""

    completed: int = 0
    retried: int = 0
    discarded: int = 0
    released: int = 0
    cancelled: int = 0


class JobTester:
    """The jobs of a runner in a test. `manual` and `inline` create it.

    The runner has the store `backend`, which is empty at first and whose time is `clock`.
    """

    def __init__(self, runner: Runner, backend: Backend, clock: Clock) -> None:
        self.runner = runner
        self.backend = backend
        self.clock = clock
        add_transactions(backend)
        self._worker = StepWorker(runner, backend, clock)
        self._busy = Lock()

    def drain(self, *, queue: str | None = None, raises: bool = True, limit: int = _LIMIT) -> Drained:
        """Run all due jobs in this thread, one after another, with the jobs that they enqueue and the due schedules.

        A handler runs as in a worker: each attempt has an outcome that is stored, and callbacks and hooks are called.
        Two things differ. The timeout of a sync handler does not apply, and leases are not extended.

        Args:
            queue: Run only the jobs of this queue.
            raises: Raise the exception of the first handler that fails, after its outcome is stored. With False, it is
                only stored, as a worker does.
            limit: The most attempts. This ends a test in which jobs enqueue each other for ever.

        Raises:
            AssertionError: More attempts than `limit` were due.
        """
        with self._one_at_a_time():
            return self._drain(queue, raises=raises, limit=limit)

    async def adrain(self, *, queue: str | None = None, raises: bool = True, limit: int = _LIMIT) -> Drained:
        """See `drain`. Async handlers run on the running event loop, so they can share objects with the test."""
        ends: Counter[type[Outcome]] = Counter()
        with self._one_at_a_time():
            for attempt in self._due(queue, limit):
                self._end(await self._worker.arun(attempt), ends, raises=raises)
        return _drained(ends)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Move the clock forward, and return its time. Schedules fire at each of their ticks on the way.

        With `manual`, jobs wait for `drain`. With `inline`, each job runs when it is due.
        """
        moved = length(days=days, hours=hours, minutes=minutes, seconds=seconds)
        ahead, until = self.clock.ahead + moved, self.clock.now() + moved
        self._worker.begin()
        while (moment := self._next_moment()) is not None and moment <= until:
            self._pass(moment)
        self._pass(until)
        self.clock.ahead = max(self.clock.ahead, ahead)  # the steps took real time, which is no part of the move
        return self.clock.now()

    def transaction(self) -> AbstractContextManager[object]:
        """Open a transaction to enqueue in: `with jobs.transaction() as transaction`.

        Its jobs exist when the block ends, and never exist if it raises. A store with transactions opens its own.
        """
        return transaction(self.backend, self.clock.now)

    def enqueued(self, job: Wanted, /, **fields: object) -> list[Record]:
        """Return the jobs of a kind whose payloads have these fields, in any state, the first enqueued first.

        Args:
            job: A Job class, a function with `@runner.job`, or a kind. A single job, such as `Send(user_id=1)`, matches
                jobs with an equal payload.
            fields: Fields of the payload, or keys if it is a dict.
        """
        return Enqueued(self.backend, self.runner, job, fields).records()

    def assert_enqueued(self, job: Wanted, /, **fields: object) -> list[Record]:
        """Fail if no matching job was enqueued; return the matching jobs. See `enqueued`."""
        return Enqueued(self.backend, self.runner, job, fields).assert_some()

    def refute_enqueued(self, job: Wanted, /, **fields: object) -> None:
        """Fail if a matching job was enqueued. See `enqueued`."""
        Enqueued(self.backend, self.runner, job, fields).assert_none()

    @contextmanager
    def assert_enqueues(self, job: Wanted, /, **fields: object) -> Iterator[None]:
        """Fail if the block enqueues no matching job. Jobs from before the block do not count."""
        before = self._ids()
        yield
        Enqueued(self.backend, self.runner, job, fields).assert_some(before)

    @contextmanager
    def refute_enqueues(self, job: Wanted, /, **fields: object) -> Iterator[None]:
        """Fail if the block enqueues a matching job. Jobs from before the block do not count."""
        before = self._ids()
        yield
        Enqueued(self.backend, self.runner, job, fields).assert_none(before)

    def close(self) -> None:
        """Close the event loop of the handlers."""
        self._worker.close()

    def _drain(self, queue: str | None = None, *, raises: bool, limit: int = _LIMIT) -> Drained:
        ends: Counter[type[Outcome]] = Counter()
        for attempt in self._due(queue, limit):
            self._end(self._worker.run(attempt), ends, raises=raises)
        return _drained(ends)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if is_inside(self.runner):
            raise CalledFromInside("a handler or callback cannot drain its own runner; call drain() from the test")
        with self._busy:
            yield

    def _due(self, queue: str | None, limit: int) -> Iterator[Attempt]:
        """Yield claimed jobs. The caller records the outcome of each before it takes the next."""
        self._worker.begin()
        self._worker.rescue()
        for _ in range(validation.limit(limit)):
            self._worker.fire_due()
            queues = [known.name for known in self.backend.queues()] if queue is None else [queue]
            if not queues or (attempt := self._worker.claim(queues)) is None:
                return
            yield attempt
        if any(self.backend.list(Filter(states=list(CLAIMABLE)), limit=1)):
            raise AssertionError(
                f"{limit:,} attempts have run, and more jobs wait; if they should not enqueue each other, or snooze "
                "without a delay, correct the handler; else pass a higher limit"
            )

    def _end(self, ended: Ended, ends: Counter[type[Outcome]], *, raises: bool) -> None:
        ended = self._worker.record(ended)
        ends[type(ended.outcome)] += 1
        if raises:
            raise_failure(ended)

    def _next_moment(self) -> datetime | None:
        """Return the next time at which something happens without a call: a tick of a schedule."""
        ticks = [each.next_tick for each in self._worker.due_schedules() if each.next_tick is not None]
        return min(ticks, default=None)

    def _pass(self, moment: datetime) -> None:
        self.clock.move_to(moment)
        self._worker.fire_due()

    def _ids(self) -> frozenset[UUID]:
        return frozenset(each.id for each in all_records(self.backend, Filter()))


def _drained(ends: Counter[type[Outcome]]) -> Drained:
    return Drained(*(ends[outcome] for outcome in (Complete, Retry, Discard, Release, Cancel)))

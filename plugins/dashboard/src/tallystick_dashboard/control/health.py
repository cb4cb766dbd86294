"""Judge whether all is well: the first line of the overview, in words."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from tallystick import Rate

from .counts import NONE, JobCount
from .rates import by_queue
from .snapshots import WAITING, StoreSnapshot

LATE = timedelta(minutes=1)
"""A due job that has waited longer than this is late."""

FEWEST_FAILURES = 3
"""Fewer failures in an hour are not reported."""

NOTABLE_RATE = 0.05
"""A lower error rate is not worth a look."""

MORE_THAN_USUAL = 2.0
"""An error rate is unusual if it is this many times that of the day before, and notable."""

_TICK_LATE = timedelta(minutes=2)


class Trouble(StrEnum):
    """The kinds of problems, the most urgent first."""

    UNWORKED = "unworked"
    LATE = "late"
    LOST_WORKER = "lost_worker"
    FAILING = "failing"
    LATE_SCHEDULE = "late_schedule"
    PAUSED = "paused"


class Problem(NamedTuple):
    """A problem, with the values for its sentence."""

    trouble: Trouble
    name: str
    jobs: JobCount = NONE
    age: timedelta = timedelta(0)
    rate: float = 0.0
    usual: float = 0.0

    @property
    def is_grave(self) -> bool:
        """Whether jobs are late or fail because of it. A paused queue was paused on purpose."""
        return self.trouble is not Trouble.PAUSED


def problems(snapshot: StoreSnapshot) -> list[Problem]:
    """Return the problems of a store, the most urgent first."""
    found = [*_queues(snapshot), *_workers(snapshot), *_failures(snapshot), *_schedules(snapshot)]
    return sorted(found, key=lambda problem: (list(Trouble).index(problem.trouble), -problem.jobs.count, problem.name))


def _queues(snapshot: StoreSnapshot) -> Iterator[Problem]:
    served = {queue for worker in snapshot.workers if worker.is_alive(snapshot.at) for queue in worker.queues}
    for name, queue in snapshot.queues.items():
        age = timedelta(0) if queue.oldest_due is None else snapshot.at - queue.oldest_due
        if queue.paused:
            if queue.due.count:
                yield Problem(Trouble.PAUSED, name, queue.due, age)
        elif queue.due.count and name not in served and age > LATE:
            yield Problem(Trouble.UNWORKED, name, queue.due, age)
        elif age > LATE:
            yield Problem(Trouble.LATE, name, queue.due, age)


def _workers(snapshot: StoreSnapshot) -> Iterator[Problem]:
    for worker in snapshot.workers:
        if not worker.is_alive(snapshot.at):
            yield Problem(Trouble.LOST_WORKER, worker.worker, _exactly(worker.busy), snapshot.at - worker.seen_at)


def _failures(snapshot: StoreSnapshot) -> Iterator[Problem]:
    usual = by_queue(snapshot.day)
    for name, rate in by_queue(snapshot.minutes).items():
        before = usual.get(name, Rate()).error_rate
        if rate.failed >= FEWEST_FAILURES and rate.error_rate > max(NOTABLE_RATE, MORE_THAN_USUAL * before):
            yield Problem(Trouble.FAILING, name, _exactly(rate.failed), rate=rate.error_rate, usual=before)


def _schedules(snapshot: StoreSnapshot) -> Iterator[Problem]:
    for schedule in snapshot.schedules:
        if not schedule.paused and schedule.next_tick is not None:
            age = snapshot.at - schedule.next_tick
            if age > _TICK_LATE:
                yield Problem(Trouble.LATE_SCHEDULE, schedule.name, age=age)


def _exactly(count: int) -> JobCount:
    return JobCount(count=count, complete=True)


def is_idle(snapshot: StoreSnapshot) -> bool:
    """Return whether no worker is alive and no job waits."""
    waits = any(snapshot.by_state[state].count for state in WAITING)
    return not waits and not any(worker.is_alive(snapshot.at) for worker in snapshot.workers)

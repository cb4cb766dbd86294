"""Find jobs that no worker runs, using only calls of the contract that change nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from .. import diagnostics
from ..contract.backend import Backend
from ..contract.filters import Filter
from ..contract.records import QueueStats, Record
from ..contract.state import State
from ..diagnostics import Finding

PATIENCE = timedelta(minutes=5)
"""How long a job may be due, or a lease expired, before it is reported."""

PUT_BACK_TIMES = 5
"""How often a job may be claimed and put back without an error before it is reported."""

_MOST = 1_000
"""The maximum number of records to check, newest first."""


def unworked(store: Backend, now: datetime | None = None) -> Sequence[Finding]:
    """Return a finding for each queue that no worker serves, and for jobs that workers lose or put back.

    Args:
        now: The current time, aware; None uses this machine's clock.
    """
    now = datetime.now(UTC) if now is None else now
    queues = store.stats().by_queue
    running = store.list(Filter(states=[State.RUNNING]), limit=_MOST)
    live = {record.queue for record in running if record.lease_until is not None and record.lease_until > now}
    pending = store.list(Filter(states=[State.PENDING]), limit=_MOST)
    problems = [*_queues(queues, live, now), *_expired(running, now), *_put_back(pending)]
    if problems or not queues:
        return problems
    return [diagnostics.ok("queues", f"no unserved jobs in {len(queues)} queues")]


def _queues(queues: Mapping[str, QueueStats], live: set[str], now: datetime) -> Iterator[Finding]:
    for name, queue in queues.items():
        if queue.oldest_due is None:
            continue
        if queue.paused:
            yield diagnostics.warning(
                f"queue {name}",
                f"the queue is paused, and {queue.due:,} of its jobs are due",
                f"resume it when its jobs may run again: tallystick queues resume {name}",
            )
        elif now - queue.oldest_due > PATIENCE and name not in live:
            yield diagnostics.warning(
                f"queue {name}",
                f"{queue.due:,} jobs are due, the oldest for {_age(now - queue.oldest_due)}, and none is running",
                "start a worker that serves this queue, or correct the queue's name in the application",
            )


def _expired(running: Sequence[Record], now: datetime) -> Iterator[Finding]:
    ages = [now - record.lease_until for record in running if record.lease_until is not None]
    expired = [age for age in ages if age > PATIENCE]
    if expired:
        yield diagnostics.warning(
            "expired leases",
            f"{len(expired):,} running jobs have an expired lease; the oldest expired {_age(max(expired))} ago",
            "their workers died, and no other worker rescued them: start a worker for any queue",
        )


def _put_back(pending: Sequence[Record]) -> Iterator[Finding]:
    kinds = Counter(record.kind for record in pending if record.attempt >= PUT_BACK_TIMES and record.last_error is None)
    for kind, count in kinds.most_common():
        yield diagnostics.warning(
            f"kind {kind}",
            f"{count:,} jobs were claimed and put back {PUT_BACK_TIMES} times or more, without an error",
            "start a worker that registers this kind and serves its queue; ignore this if the handler snoozes",
        )


def _age(age: timedelta) -> str:
    return str(timedelta(seconds=int(age.total_seconds())))

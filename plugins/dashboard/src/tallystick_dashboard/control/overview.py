"""The overview: problems, queues with their last hour, workers, and the series of the chart."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from tallystick import Rate, State, WorkerInfo

from .counts import JobCount
from .health import LATE, NOTABLE_RATE, Trouble, is_idle, problems
from .plane import ControlPlane
from .rates import by_queue, series
from .snapshots import MINUTE, STEPS, QueueSnapshot, StoreSnapshot


class ProblemDocument(BaseModel):
    """A problem, with the values of its sentence."""

    trouble: Trouble
    name: str
    jobs: JobCount
    age: float = Field(description="Seconds.")
    rate: float
    usual: float
    grave: bool


class QueueDocument(BaseModel):
    """A queue, and its attempts of the last hour."""

    name: str
    paused: bool
    pending: JobCount
    running: JobCount
    retrying: JobCount
    waiting: JobCount = Field(description="The pending and the retrying jobs.")
    due: JobCount
    oldest_due: datetime | None
    oldest_due_age: float | None = Field(description="Seconds.")
    late: bool = Field(description="Whether the oldest due job has waited for more than a minute. A paused one is not.")
    workers: int
    ended: int = Field(description="Attempts of the last hour.")
    failed: int
    error_rate: float
    failing: bool = Field(description="Whether more than 5 % of the attempts failed.")
    mean_waiting: float = Field(description="Seconds.")
    mean_running: float = Field(description="Seconds.")
    by_minute: list[int] = Field(description="Attempts of each minute of the last hour, the earliest first.")


class RunningDocument(BaseModel):
    """An attempt that a worker executes."""

    id: UUID
    attempt: int
    kind: str
    since: datetime


class WorkerDocument(BaseModel):
    """A worker, as its latest beat described it."""

    worker: str
    state: Literal["active", "draining", "lost"]
    host: str
    pid: int
    version: str
    queues: list[str]
    concurrency: int
    busy: int
    started_at: datetime
    seen_at: datetime
    running: list[RunningDocument]


class SeriesDocument(BaseModel):
    """The attempts of each minute."""

    starts: list[datetime]
    completed: list[int]
    failed: list[int]


class Overview(BaseModel):
    """The state of a store at one moment."""

    at: datetime
    well: bool = Field(description="Whether there is no grave problem.")
    idle: bool
    problems: list[ProblemDocument]
    by_state: dict[State, JobCount]
    queues: list[QueueDocument]
    workers: list[WorkerDocument]
    series: SeriesDocument


def overview(plane: ControlPlane) -> Overview:
    """Return the overview of the shared snapshot."""
    snapshot = plane.snapshot()
    found = problems(snapshot)
    chart = series(snapshot.minutes, snapshot.at, MINUTE, STEPS)
    return Overview(
        at=snapshot.at,
        well=not any(problem.is_grave for problem in found),
        idle=is_idle(snapshot),
        problems=[
            ProblemDocument(
                trouble=each.trouble,
                name=each.name,
                jobs=each.jobs,
                age=each.age.total_seconds(),
                rate=each.rate,
                usual=each.usual,
                grave=each.is_grave,
            )
            for each in found
        ],
        by_state=dict(snapshot.by_state),
        queues=queues_of(snapshot),
        workers=workers_of(snapshot),
        series=SeriesDocument(starts=chart.starts, completed=chart.completed, failed=chart.failed),
    )


def queues_of(snapshot: StoreSnapshot) -> list[QueueDocument]:
    """Return the queues, sorted by name."""
    rates = by_queue(snapshot.minutes)
    return [_queue(snapshot, queue, rates.get(name, Rate())) for name, queue in snapshot.queues.items()]


def _queue(snapshot: StoreSnapshot, queue: QueueSnapshot, rate: Rate) -> QueueDocument:
    minutes = series([m for m in snapshot.minutes if m.queue == queue.name], snapshot.at, MINUTE, STEPS)
    alive = [worker for worker in snapshot.workers if worker.is_alive(snapshot.at)]
    age = None if queue.oldest_due is None else max(snapshot.at - queue.oldest_due, timedelta(0))
    return QueueDocument(
        name=queue.name,
        paused=queue.paused,
        pending=queue.by_state[State.PENDING],
        running=queue.by_state[State.RUNNING],
        retrying=queue.by_state[State.RETRYING],
        waiting=queue.waiting,
        due=queue.due,
        oldest_due=queue.oldest_due,
        oldest_due_age=None if age is None else age.total_seconds(),
        late=age is not None and age > LATE and not queue.paused,
        workers=sum(queue.name in worker.queues for worker in alive),
        ended=rate.ended,
        failed=rate.failed,
        error_rate=rate.error_rate,
        failing=rate.error_rate > NOTABLE_RATE,
        mean_waiting=rate.mean_waiting.total_seconds(),
        mean_running=rate.mean_running.total_seconds(),
        by_minute=[done + failed for done, failed in zip(minutes.completed, minutes.failed, strict=True)],
    )


def workers_of(snapshot: StoreSnapshot) -> list[WorkerDocument]:
    """Return the workers: active ones first, then by name."""
    order = {"active": 0, "draining": 1, "lost": 2}
    documents = [_worker(worker, snapshot.at) for worker in snapshot.workers]
    return sorted(documents, key=lambda worker: (order[worker.state], worker.worker))


def _worker(worker: WorkerInfo, now: datetime) -> WorkerDocument:
    state: Literal["active", "draining", "lost"] = "draining" if worker.draining else "active"
    return WorkerDocument(
        worker=worker.worker,
        state=state if worker.is_alive(now) else "lost",
        host=worker.host,
        pid=worker.pid,
        version=worker.version,
        queues=list(worker.queues),
        concurrency=worker.concurrency,
        busy=worker.busy,
        started_at=worker.started_at,
        seen_at=worker.seen_at,
        running=[
            RunningDocument(id=each.claim.id, attempt=each.claim.attempt, kind=each.kind, since=each.since)
            for each in worker.running
        ],
    )

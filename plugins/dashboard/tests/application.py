"""The jobs of the tests' application, and records in each state."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import SecretStr, field_serializer
from tallystick import (
    Backend,
    Beat,
    Complete,
    Context,
    Discard,
    Failure,
    Job,
    MeterDelta,
    NewRecord,
    NewSchedule,
    ProgressReport,
    Retry,
    Runner,
    Running,
)

MINUTE = timedelta(minutes=1)
LEASE = timedelta(hours=1)
FIRST: dict[str, Any] = {"priority": 9}
"""A job with this priority is claimed before the other jobs of a test."""
SCRIPT = "<script>alert('payload')</script>"


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Greet(Job[str]):
    kind = "greet"
    queue = "emails"
    max_attempts = 5

    name: str
    times: int = 1
    loud: bool = False
    size: Size = Size.SMALL
    after: datetime | None = None
    more: list[str] = []  # noqa: RUF012  # pydantic copies defaults

    def work(self, ctx: Context) -> str:
        return f"Hello, {self.name}!"


class LogIn(Job[None]):
    kind = "log_in"
    user: str
    pin: SecretStr

    @field_serializer("pin", when_used="json")
    def _write(self, pin: SecretStr) -> str:
        return pin.get_secret_value()

    def work(self, ctx: Context) -> None:
        pass


def make_runner(url: str, **settings: Any) -> Runner:
    """Return a runner of these jobs."""
    runner = Runner(url, **settings)
    runner.register(Greet)
    runner.register(LogIn)

    @runner.raw("raw")
    def raw(payload: bytes, ctx: Context) -> None:
        pass

    return runner


def add(backend: Backend, kind: str = "greet", payload: bytes = b'{"name": "Ada"}', **fields: object) -> UUID:
    """Store a pending job."""
    record = NewRecord(**{"kind": kind, "payload": payload, "queue": "emails", **fields})  # type: ignore[arg-type]
    return backend.insert([record])[0].record.id


def run(backend: Backend, queue: str = "emails") -> UUID:
    """Claim one job."""
    [record] = backend.claim([queue], limit=1, worker="w1", lease=LEASE)
    return record.id


def report(backend: Backend, fraction: float | None = 0.4, message: str = "page 40 of 100") -> UUID:
    """Store a running job that has reported its progress."""
    add(backend, **FIRST)
    [record] = backend.claim(["emails"], limit=1, worker="w1", lease=LEASE)
    backend.report_progress([ProgressReport(record.claim, fraction, message)])
    return record.id


def complete(backend: Backend, result: bytes | None = b'"Hello"') -> UUID:
    """Store a job and complete it."""
    add(backend, **FIRST)
    [record] = backend.claim(["emails"], limit=1, worker="w1", lease=LEASE)
    backend.settle([Complete(record.claim, result)])
    return record.id


def discard(backend: Backend, error: str = "ValueError", message: str = "no", **fields: object) -> UUID:
    """Store a job and discard it."""
    add(backend, **{**FIRST, **fields})
    [record] = backend.claim([str(fields.get("queue", "emails"))], limit=1, worker="w1", lease=LEASE)
    backend.settle([Discard(record.claim, Failure(error, message, f"Traceback\n{error}: {message}"))])
    return record.id


def retry(backend: Backend, error: str = "ValueError") -> UUID:
    """Store a job that waits for its second attempt."""
    add(backend, **FIRST)
    [record] = backend.claim(["emails"], limit=1, worker="w1", lease=LEASE)
    backend.settle([Retry(record.claim, LEASE, Failure(error, "try again"))])
    return record.id


def add_schedule(runner: Runner, name: str = "hourly", rule: str = "0 * * * *") -> None:
    """Store a schedule."""
    payload = b'{"name": "Ada"}'
    runner.put_schedule(NewSchedule(name=name, rule=rule, kind="greet", queue="emails", payload=payload))


def add_worker(backend: Backend, running: UUID | None = None, *, now: datetime | None = None) -> None:
    """Store a worker of the queue `emails`."""
    now = now or datetime.now(UTC)
    works = () if running is None else (Running(backend.get([running])[running].claim, "greet", now),)
    beat = Beat(
        worker="w1",
        host="host-1",
        pid=42,
        version="1.0",
        queues=("emails",),
        concurrency=10,
        started_at=now,
        running=works,
        busy=len(works),
    )
    backend.beat(beat, ttl=timedelta(minutes=1), now=now)


def add_attempts(backend: Backend, *, completed: int, discarded: int = 0, ago: timedelta = timedelta(0)) -> None:
    """Add attempts to the meters of a minute."""
    minute = (datetime.now(UTC) - ago).replace(second=0, microsecond=0)
    sums = timedelta(seconds=completed + discarded)
    delta = MeterDelta(
        minute=minute,
        queue="emails",
        kind="greet",
        completed=completed,
        discarded=discarded,
        waiting=sums,
        running=sums,
    )
    backend.meter([delta])

"""Workers: what they say of themselves, and how long they are listed."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from tallystick import Beat, Claim, Running

from ..harness.case import NOW, Case, example
from .name import HOSTILE, SIMILAR

_TTL = timedelta(minutes=1)
_DAY = timedelta(days=1)


def beat(worker: str = "w", **fields: Any) -> Beat:
    """Return a beat."""
    values = {"host": "h", "pid": 1, "version": "1", "queues": ("q",), "concurrency": 1, "started_at": NOW, **fields}
    return Beat(worker=worker, **values)


@example("BEAT-04")
def a_beat_is_kept(case: Case) -> None:
    """Workers returns each field of the latest beat, with the time and the ttl of the beat."""
    id, later = UUID(int=2**127), NOW + _TTL
    running = tuple(Running(Claim(id, 2**63 - 1 - n), f"kind {n} %s", NOW) for n in range(100))
    one = beat(
        "n" * 255,
        host="\u65e5" * 255,
        pid=2**31 - 1,
        version="'; --",
        queues=tuple(f"q{n}" for n in range(1_000)),
        concurrency=1_000_000,
        running=running,
        busy=150,
        draining=True,
    )
    case.backend.beat(one, ttl=_DAY, now=later)
    [info] = case.backend.workers()
    for name in (
        "worker",
        "host",
        "pid",
        "version",
        "queues",
        "concurrency",
        "started_at",
        "running",
        "busy",
        "draining",
    ):
        case.equal(getattr(one, name), getattr(info, name))
    case.equal((later, _DAY), (info.seen_at, info.ttl))


@example("BEAT-01")
def names_of_workers_are_exact(case: Case) -> None:
    """Workers with similar names, or names with query syntax, are different, and sorted as code points."""
    names = [*SIMILAR, *HOSTILE]
    for n, name in enumerate(names):
        case.backend.beat(beat(name, pid=n), ttl=_TTL, now=NOW)
    case.equal(sorted(names), [info.worker for info in case.backend.workers()])
    case.equal({name: n for n, name in enumerate(names)}, {info.worker: info.pid for info in case.backend.workers()})
    case.backend.beat(beat(names[0]), ttl=timedelta(0), now=NOW)
    case.equal(sorted(names[1:]), [info.worker for info in case.backend.workers()])


@example("BEAT-02")
def a_worker_leaves(case: Case) -> None:
    """A beat with a ttl of zero removes its worker only, also if there is none, and a later beat lists it again."""
    leave = partial(case.backend.beat, ttl=timedelta(0))
    for name in ("a", "b"):
        case.backend.beat(beat(name), ttl=_TTL, now=NOW)
    for _ in range(2):
        leave(beat("a"), now=NOW)
        case.equal(["b"], [info.worker for info in case.backend.workers()])
    case.backend.beat(beat("a"), ttl=_TTL, now=NOW)
    case.equal(["a", "b"], [info.worker for info in case.backend.workers()])


@example("BEAT-03")
def a_worker_is_listed_for_a_day(case: Case) -> None:
    """A worker stays listed until a beat comes more than a day after the end of its ttl."""
    tick = case.capabilities.time_precision
    case.backend.beat(beat("old"), ttl=_TTL, now=NOW)
    case.backend.beat(beat("long"), ttl=_DAY, now=NOW)
    for late, listed in ((timedelta(0), True), (tick, False)):
        case.backend.beat(beat("other"), ttl=_TTL, now=NOW + _TTL + _DAY + late)
        expected = ["long", "old", "other"] if listed else ["long", "other"]
        case.equal(expected, [info.worker for info in case.backend.workers()])
    case.backend.beat(beat("other"), ttl=timedelta(0), now=NOW + 2 * _DAY + tick)
    case.equal([], list(case.backend.workers()))

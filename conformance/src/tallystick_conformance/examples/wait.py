"""`wait`, in real time. Each example takes a fraction of a second on a correct backend."""

from datetime import UTC, datetime, timedelta
from time import monotonic

from tallystick import Complete, Filter, NewRecord, Release, Retry

from ..harness.case import Case, example
from .common import ERROR

SHORT = timedelta(milliseconds=200)
LONG = timedelta(seconds=12)
_A_MOMENT = 0.7
"""Seconds within which a store finds a due job, though a busy machine may sometimes delay it."""

SOON = 5.0
"""Seconds: well above what a slow machine needs, and well below `LONG`."""


def _waited(case: Case, queues: list[str], timeout: timedelta) -> tuple[bool, float]:
    started = monotonic()
    return case.backend.wait(queues, timeout=timeout), monotonic() - started


def _shortest(case: Case, queues: list[str], timeout: timedelta) -> tuple[bool, float]:
    """Wait up to three times until one wait ends on time, because a busy machine may delay a wait."""
    for _ in range(2):
        woken, seconds = _waited(case, queues, timeout)
        if seconds < timeout.total_seconds() + _A_MOMENT:
            return woken, seconds
    return _waited(case, queues, timeout)


def _require_timeout(case: Case, queues: list[str]) -> None:
    woken, seconds = _shortest(case, queues, SHORT)
    case.equal(False, woken)
    least, most = SHORT.total_seconds() - 0.05, SHORT.total_seconds() + _A_MOMENT
    case.that(least <= seconds < most, f"False after about {SHORT.total_seconds()} s", f"{seconds:.3f} s")


def _require_woken(case: Case, queues: list[str]) -> None:
    woken, seconds = _waited(case, queues, LONG)
    case.that(woken and seconds < SOON, f"True within {SOON} s", f"{woken} after {seconds:.1f} s")


def _require_woken_at_once(case: Case, queues: list[str]) -> None:
    woken, seconds = _waited(case, queues, LONG)
    if seconds >= _A_MOMENT:  # the machine may have been busy
        woken, seconds = _waited(case, queues, LONG)
    case.that(woken and seconds < _A_MOMENT, f"True for {queues} at once", f"{woken} after {seconds:.1f} s")


@example("WAIT-01")
def nothing_due_is_a_timeout(case: Case) -> None:
    """`wait` returns False at its timeout if no job is due. With a zero timeout it returns at once."""
    _require_timeout(case, ["default"])
    case.backend.insert([NewRecord(kind="k", run_at=timedelta(hours=1))])
    _require_timeout(case, ["default"])
    woken, seconds = _waited(case, ["default"], timedelta(0))
    case.that(not woken and seconds < SOON, "False at once", f"{woken} after {seconds:.1f} s")


@example("WAIT-01")
def running_and_finished_jobs_are_not_due(case: Case) -> None:
    """`wait` returns False if all jobs of the queue are running or finished."""
    past = datetime.now(UTC) - timedelta(hours=1)
    case.backend.insert([NewRecord(kind="k") for _ in range(2)], now=past)
    now, lease = past + timedelta(seconds=1), timedelta(hours=10)
    claimed = case.backend.claim(["default"], limit=2, worker="w", lease=lease, now=now)
    case.backend.settle([Complete(claimed[0].claim)], now=now)
    answers = [case.backend.wait(["default"], timeout=SHORT) for _ in range(3)]  # the first may report an old change
    case.that(False in answers, "False at the timeout, within three tries", answers)


@example("WAIT-02")
def something_due_is_at_once(case: Case) -> None:
    """`wait` returns True at once if one of the queues has a due job, even with a zero timeout."""
    case.backend.insert([NewRecord(kind="k", queue="b")])
    _require_woken_at_once(case, ["a", "b"])
    case.equal(True, case.backend.wait(["a", "b"], timeout=timedelta(0)))


@example("WAIT-02")
def whatever_is_due_is_at_once(case: Case) -> None:
    """`wait` returns True at once for retried, released, rescued and requeued jobs, also next to a paused queue."""
    past = datetime.now(UTC) - timedelta(hours=1)
    kinds = ("retried", "released", "rescued", "requeued")
    case.backend.insert([NewRecord(kind=kind, queue=kind) for kind in kinds], now=past)
    case.backend.insert([NewRecord(kind="k", queue="paused")], now=past)
    case.backend.pause("paused")
    claims = {}
    for kind in kinds:
        lease = timedelta(minutes=1) if kind == "rescued" else timedelta(hours=10)
        [record] = case.backend.claim([kind], limit=1, worker="w", lease=lease, now=past + timedelta(seconds=1))
        claims[kind] = record.claim
    case.backend.settle([Retry(claims["retried"], timedelta(0), ERROR), Release(claims["released"])], now=past)
    case.backend.settle([Complete(claims["requeued"])], now=past)
    case.backend.requeue(Filter(kinds=["requeued"]), limit=1, now=past)
    case.backend.rescue(limit=9)
    for kind in kinds:
        _require_woken_at_once(case, ["paused", kind])


@example("WAIT-03")
def a_future_job_wakes_when_due(case: Case) -> None:
    """`wait` returns True when the first of several future jobs becomes due, whatever its queue and priority."""
    later = timedelta(hours=1)
    case.backend.insert(
        [
            NewRecord(kind="k", queue="b", run_at=later, priority=1),
            NewRecord(kind="k", queue="b", run_at=SHORT),
            *(NewRecord(kind="k", queue=queue, run_at=later) for queue in ("a", "b", "c")),
        ]
    )
    _require_woken(case, ["a", "b", "c"])


@example("WAIT-04")
def other_jobs_do_not_wake(case: Case) -> None:
    """A due job of a paused or unlisted queue does not end a wait. A wait for no queue returns False."""
    case.backend.insert([NewRecord(kind="k", queue="paused"), NewRecord(kind="k", queue="other")])
    case.backend.pause("paused")
    _require_timeout(case, ["paused", "default"])
    _require_woken_at_once(case, ["other", "default"])
    case.equal(False, case.backend.wait([], timeout=timedelta(0)))

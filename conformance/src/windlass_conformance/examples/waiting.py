"""wait, in real time: each example takes a fraction of a second where the backend is right."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from windlass import Backend, Complete, Failure, Filter, NewRecord, Release, Retry

from ..case import Case, example
from ..threads import Beside

SHORT = timedelta(milliseconds=200)
LONG = timedelta(seconds=20)
SOON = 5.0
"""Seconds: well over what a slow machine needs, and well under `LONG`."""


def _waited(case: Case, queues: list[str], timeout: timedelta) -> tuple[bool, float]:
    started = monotonic()
    return case.backend.wait(queues, timeout=timeout), monotonic() - started


def _not_woken(case: Case, queues: list[str]) -> None:
    woken, seconds = _waited(case, queues, SHORT)
    case.equal(False, woken)
    least = SHORT.total_seconds() - 0.05
    case.that(least <= seconds < SOON, f"False after about {SHORT.total_seconds()} s", f"{seconds:.3f} s")


def _woken(case: Case, queues: list[str]) -> None:
    woken, seconds = _waited(case, queues, LONG)
    case.that(woken and seconds < SOON, f"True within {SOON} s", f"{woken} after {seconds:.1f} s")


@example("WAIT-01")
def nothing_due_is_a_timeout(case: Case) -> None:
    """With an empty store, and with a job of the far future, wait returns False at the timeout; zero is at once."""
    _not_woken(case, ["default"])
    case.backend.insert([NewRecord(kind="k", run_at=timedelta(hours=1))])
    _not_woken(case, ["default"])
    woken, seconds = _waited(case, ["default"], timedelta(0))
    case.that(not woken and seconds < SOON, "False at once", f"{woken} after {seconds:.1f} s")


@example("WAIT-02")
def something_due_is_at_once(case: Case) -> None:
    """With a due job in one of the queues, wait returns True at once."""
    case.backend.insert([NewRecord(kind="k", queue="b")])
    _woken(case, ["a", "b"])


@example("WAIT-03")
def a_future_job_wakes_when_due(case: Case) -> None:
    """A job that becomes due while another client waits ends the wait."""
    case.backend.insert([NewRecord(kind="k", run_at=SHORT)])
    _woken(case, ["default"])


@example("WAIT-04")
def other_jobs_do_not_wake(case: Case) -> None:
    """A due job of a paused queue, or of a queue not asked for, does not end a wait, so a worker does not spin."""
    case.backend.insert([NewRecord(kind="k", queue="paused"), NewRecord(kind="k", queue="other")])
    case.backend.pause("paused")
    _not_woken(case, ["paused", "default"])


@example("WAIT-05")
def another_clients_insert_wakes(case: Case) -> None:
    """A wait ends soon after another client inserts a job; twice, so that the second does not rest on the first."""
    other = case.client()
    for queue in ("first", "second"):
        _is_woken_by(case, case.backend, queue, lambda queue=queue: other.insert([NewRecord(kind="k", queue=queue)]))  # type: ignore[misc]


@example("WAIT-06")
def another_clients_change_wakes(case: Case) -> None:
    """A wait ends soon after another client resumes, requeues, retries, releases or rescues a job."""
    other, past = case.client(), datetime.now(UTC) - timedelta(hours=1)
    case.backend.insert([NewRecord(kind=kind, queue=kind) for kind in ("resumed", *_CHANGES)], now=past)
    other.pause("resumed")
    claims = {}
    for kind in _CHANGES:
        lease = timedelta(minutes=1) if kind == "rescued" else timedelta(hours=10)
        [record] = case.backend.claim([kind], limit=1, worker="w", lease=lease, now=past + timedelta(seconds=1))
        claims[kind] = record.claim
    other.settle([Complete(claims["requeued"])])
    changes: dict[str, Callable[[], object]] = {
        "resumed": lambda: other.resume("resumed"),
        "requeued": lambda: other.requeue(Filter(kinds=["requeued"]), limit=1),
        "retried": lambda: other.settle([Retry(claims["retried"], timedelta(0), Failure("E", "m"))]),
        "released": lambda: other.settle([Release(claims["released"])]),
        "rescued": lambda: other.rescue(limit=9),
    }
    for queue, change in changes.items():
        _is_woken_by(case, case.backend, queue, change)


_CHANGES = ("requeued", "retried", "released", "rescued")


@example("WAIT-07")
def an_insert_through_the_same_client_wakes(case: Case) -> None:
    """A wait in one thread ends soon after another thread inserts through the same client."""
    for queue in ("first", "second"):
        _is_woken_by(case, case.raw, queue, lambda queue=queue: case.raw.insert([NewRecord(kind="k", queue=queue)]))  # type: ignore[misc]


def _is_woken_by(case: Case, backend: Backend, queue: str, change: Callable[[], object]) -> None:
    started = monotonic()
    wait = Beside(lambda: (backend.wait([queue], timeout=LONG), monotonic() - started))
    change()
    woken, seconds = wait.answer()
    case.that(woken and seconds < SOON, f"True within {SOON} s of {queue}", f"{woken} after {seconds:.1f} s")

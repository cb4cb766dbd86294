"""Inserts and changes end a wait, also one that has lasted for a while."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

from tallystick import Advance, Backend, Changes, Complete, Filter, NewRecord, NewSchedule, Release, Retry

from ..harness.case import Case, example
from ..harness.threads import Beside
from .common import ERROR
from .restore import whole
from .wait import LONG, SOON

_A_WHILE = 0.3
"""Seconds: more than a backend needs to check for jobs and to begin to listen."""

_WAITS = 10
"""More waits than the connections that clients have been seen to keep."""

_MOMENTS, _MOMENT = 10, 0.001
"""How many delays between the start of a wait and the insert are tried, and their step in seconds."""


@example("WAIT-05")
def another_clients_insert_wakes(case: Case) -> None:
    """A wait ends soon after another client's insert, and so does a second wait on another queue."""
    other = case.client()
    for queue in ("first", "second"):
        _require_wake(case, case.backend, queue, lambda queue=queue: other.insert([NewRecord(kind="k", queue=queue)]))  # type: ignore[misc]


@example("WAIT-05")
def an_insert_ends_a_long_wait(case: Case) -> None:
    """An insert by another client soon ends a wait that has lasted a while."""
    other = case.client()
    _require_ended_by(case, "inserted", lambda: other.insert([NewRecord(kind="k", queue="inserted")]))


@example("WAIT-05")
def no_insert_is_missed_as_a_wait_begins(case: Case) -> None:
    """The first wait of a client does not miss another client's insert, however soon after its start that comes."""
    other = case.client()
    for n in range(_MOMENTS):
        client, queue = case.client(), f"q{n}"
        client.queues()
        wait = Beside(lambda client=client, queue=queue: client.wait([queue], timeout=LONG))  # type: ignore[misc]
        with suppress(TimeoutError):
            wait.answer(n * _MOMENT)
        inserted = monotonic()
        other.insert([NewRecord(kind="k", queue=queue)])
        woken, seconds = wait.answer(), monotonic() - inserted
        case.that(woken and seconds < SOON, f"True within {SOON} s", f"{woken} after {seconds:.1f} s")


@example("WAIT-05")
def a_wait_continues_until_a_job_in_its_queue_is_due(case: Case) -> None:
    """A wait ignores jobs of other and of paused queues, and future jobs. It ends when a new job becomes due."""
    other = case.client()
    other.insert([NewRecord(kind="k", queue="own", run_at=timedelta(hours=1))])
    other.pause("paused")
    wait = Beside(lambda: case.backend.wait(["own", "paused"], timeout=LONG))
    with suppress(TimeoutError):
        wait.answer(_A_WHILE)
    other.insert([NewRecord(kind="k", queue="another"), NewRecord(kind="k", queue="paused")])
    other.insert([NewRecord(kind="k", queue="own", run_at=timedelta(hours=2))])
    with suppress(TimeoutError):
        early = wait.answer(_A_WHILE)
        case.that(False, "a wait that continues while nothing is due in its queue", early)
    changed = monotonic()
    other.insert([NewRecord(kind="k", queue="own", run_at=timedelta(seconds=_A_WHILE))])
    woken, seconds = wait.answer(), monotonic() - changed
    case.that(woken and seconds < SOON, f"True within {SOON} s", f"{woken} after {seconds:.1f} s")


@example("WAIT-05")
def each_wait_ends_with_its_own_job(case: Case) -> None:
    """If one client has more waits than connections, each wait ends with an insert by another client into its queue."""
    other, queues = case.client(), ("a", "b", *("c",) * _WAITS)
    waits = [Beside(lambda queue=queue: case.backend.wait([queue], timeout=LONG)) for queue in queues]  # type: ignore[misc]
    with suppress(TimeoutError):
        waits[0].answer(_A_WHILE)
    inserted = monotonic()
    case.raw.insert([NewRecord(kind="k", queue="another")])
    other.insert([NewRecord(kind="k", queue="c")])
    other.insert([NewRecord(kind="k", queue="b") for _ in range(2)])
    with other.transaction() if case.capabilities.transactions else nullcontext() as transaction:
        other.insert([NewRecord(kind="k", queue="a")], transaction=transaction)
    woken, seconds = [wait.answer() for wait in waits], monotonic() - inserted
    case.that(all(woken) and seconds < SOON, f"True for each within {SOON} s", f"{woken} after {seconds:.1f} s")


_CHANGES = ("requeued", "retried", "released", "rescued")


@example("WAIT-06")
def another_clients_change_wakes(case: Case) -> None:
    """A wait ends soon after another client resumes its queue, or requeues, retries, releases or rescues a job."""
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
        "retried": lambda: other.settle([Retry(claims["retried"], timedelta(0), ERROR)]),
        "released": lambda: other.settle([Release(claims["released"])]),
        "rescued": lambda: other.rescue(limit=9),
    }
    for queue, change in changes.items():
        _require_wake(case, case.backend, queue, change)


@example("WAIT-06")
def a_resume_ends_a_long_wait(case: Case) -> None:
    """A resume by another client soon ends a long wait on a queue with a due job."""
    other = case.client()
    other.pause("resumed")
    other.insert([NewRecord(kind="k", queue="resumed")])
    case.backend.wait(["resumed"], timeout=timedelta(0))
    _require_ended_by(case, "resumed", lambda: other.resume("resumed"))


def _require_ended_by(case: Case, queue: str, change: Callable[[], object]) -> None:
    wait = Beside(lambda: case.backend.wait([queue], timeout=LONG))
    with suppress(TimeoutError):
        early = wait.answer(_A_WHILE)
        case.that(False, "a wait that continues while nothing is due", early)
    changed = monotonic()
    change()
    woken, seconds = wait.answer(), monotonic() - changed
    case.that(woken and seconds < SOON, f"True within {SOON} s", f"{woken} after {seconds:.1f} s")


@example("WAIT-07")
def an_insert_through_the_same_client_wakes(case: Case) -> None:
    """A wait in one thread ends soon after another thread inserts through the same client."""
    for queue in ("first", "second"):
        _require_wake(case, case.raw, queue, lambda queue=queue: case.raw.insert([NewRecord(kind="k", queue=queue)]))  # type: ignore[misc]


@example("WAIT-06")
def another_clients_update_wakes(case: Case) -> None:
    """A wait ends soon after another client's update, advance or restore makes a job due."""
    _require_wakes_by_update(case, case.backend, case.client())


@example("WAIT-08")
def an_update_through_the_same_client_wakes(case: Case) -> None:
    """A wait in one thread ends soon after another thread's update, advance or restore through the same client."""
    _require_wakes_by_update(case, case.raw, case.raw)


def _require_wakes_by_update(case: Case, waiting: Backend, changing: Backend) -> None:
    tick = datetime.now(UTC).replace(second=0, microsecond=0)
    changing.insert([NewRecord(kind=kind, queue=kind, run_at=timedelta(hours=1)) for kind in ("hastened", "moved")])
    new = NewSchedule(name="s", rule="every 1 minute", kind="k", queue="ticked", after=tick - timedelta(minutes=1))
    [stored] = changing.put_schedules([new])
    advance = Advance(name="s", revision=stored.revision, next_tick=tick + timedelta(days=1), ticks=(tick,))
    hasten, move = Changes(run_at=tick), Changes(run_at=tick, queue="new")
    _require_wake(case, waiting, "hastened", lambda: changing.update(Filter(kinds=["hastened"]), hasten, limit=1))
    _require_wake(case, waiting, "new", lambda: changing.update(Filter(kinds=["moved"]), move, limit=1))
    _require_wake(case, waiting, "ticked", lambda: changing.advance([advance]))
    _require_wake(case, waiting, "restored", lambda: changing.restore([whole(queue="restored", run_at=tick)]))


def _require_wake(case: Case, backend: Backend, queue: str, change: Callable[[], object]) -> None:
    started = monotonic()
    wait = Beside(lambda: (backend.wait([queue], timeout=LONG), monotonic() - started))
    change()
    woken, seconds = wait.answer()
    case.that(woken and seconds < SOON, f"True within {SOON} s of {queue}", f"{woken} after {seconds:.1f} s")


@example("WAIT-07")
def a_wait_with_the_longest_timeout_is_woken(case: Case) -> None:
    """A wait with the longest possible timeout ends soon after an insert through the same client."""
    with case.client() as client:
        wait = Beside(lambda: client.wait(["default"], timeout=timedelta.max))
        with suppress(TimeoutError):
            wait.answer(_A_WHILE)
        client.insert([NewRecord(kind="k")])
        case.equal(True, wait.answer(SOON))

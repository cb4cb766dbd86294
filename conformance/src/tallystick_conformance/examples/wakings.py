"""Waits that have gone on for a while, so that nothing but being told of a change can end them soon."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import timedelta
from time import monotonic

from tallystick import NewRecord

from ..case import Case, example
from ..threads import Beside
from .waiting import LONG, SOON

_A_WHILE = 0.3
"""Seconds: more than a backend needs to look, and to begin to listen."""

_WAITS = 10
"""More than the connections that clients have been seen to keep."""

_MOMENTS, _MOMENT = 10, 0.001
"""How many moments after its beginning are tried, and how far apart they are, in seconds."""


@example("WAIT-05")
def an_insert_ends_a_long_wait(case: Case) -> None:
    """A wait that has gone on for a while ends soon after another client inserts."""
    other = case.client()
    _is_ended_by(case, "inserted", lambda: other.insert([NewRecord(kind="k", queue="inserted")]))


@example("WAIT-05")
def no_insert_is_missed_as_a_wait_begins(case: Case) -> None:
    """The first wait of a client ends soon after another's insert, however early in it that comes."""
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
def a_wait_goes_on_until_its_own_job_comes(case: Case) -> None:
    """Jobs of other queues and of the future do not end a wait; one that becomes due before those does, when it is."""
    other = case.client()
    other.insert([NewRecord(kind="k", queue="own", run_at=timedelta(hours=1))])
    wait = Beside(lambda: case.backend.wait(["own"], timeout=LONG))
    with suppress(TimeoutError):
        wait.answer(_A_WHILE)
    other.insert([NewRecord(kind="k", queue="another")])
    other.insert([NewRecord(kind="k", queue="own", run_at=timedelta(hours=2))])
    with suppress(TimeoutError):
        early = wait.answer(_A_WHILE)
        case.that(False, "a wait that goes on while nothing is due in its queue", early)
    changed = monotonic()
    other.insert([NewRecord(kind="k", queue="own", run_at=timedelta(seconds=_A_WHILE))])
    woken, seconds = wait.answer(), monotonic() - changed
    case.that(woken and seconds < SOON, f"True within {SOON} s", f"{woken} after {seconds:.1f} s")


@example("WAIT-05")
def each_wait_ends_with_its_own_job(case: Case) -> None:
    """Of more waits of one client than it has connections, each ends with another's insert, batch or transaction."""
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


@example("WAIT-07")
def a_wait_without_an_end_is_ended(case: Case) -> None:
    """A wait of the longest time that there is ends soon after an insert through the same client."""
    with case.client() as client:
        wait = Beside(lambda: client.wait(["default"], timeout=timedelta.max))
        with suppress(TimeoutError):
            wait.answer(_A_WHILE)
        client.insert([NewRecord(kind="k")])
        case.equal(True, wait.answer(SOON))


@example("WAIT-06")
def a_resume_ends_a_long_wait(case: Case) -> None:
    """A wait that has gone on for a while ends soon after another client resumes a queue with a due job."""
    other = case.client()
    other.pause("resumed")
    other.insert([NewRecord(kind="k", queue="resumed")])
    case.backend.wait(["resumed"], timeout=timedelta(0))
    _is_ended_by(case, "resumed", lambda: other.resume("resumed"))


def _is_ended_by(case: Case, queue: str, change: Callable[[], object]) -> None:
    wait = Beside(lambda: case.backend.wait([queue], timeout=LONG))
    with suppress(TimeoutError):
        early = wait.answer(_A_WHILE)
        case.that(False, "a wait that goes on while nothing is due", early)
    changed = monotonic()
    change()
    woken, seconds = wait.answer(), monotonic() - changed
    case.that(woken and seconds < SOON, f"True within {SOON} s", f"{woken} after {seconds:.1f} s")

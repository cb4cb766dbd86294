"""Closing clients: waits, calls at the same time, and other clients."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Event
from time import monotonic
from uuid import UUID

from tallystick import Backend, Closed, Complete, Filter, NewRecord, OutcomeUnknown, State, TallystickError

from ..harness.case import LEASE, NOW, Case, example
from ..harness.threads import Beside, together
from ..subject.tracing import traced

_CLOSING = 0.3
"""Seconds during which `calls_meet_a_close` opens clients and closes them during their calls."""


@example("CLOSE-01")
def leaving_a_with_block_closes(case: Case) -> None:
    """Leaving a `with` block closes the client, also by an exception, which propagates."""
    client = case.client()
    with suppress(LookupError), client:
        raise LookupError
    case.refuses(Closed, lambda: client.stats(now=NOW))
    traced(client, case.steps).close()
    if case.capabilities.transactions:
        case.refuses(Closed, lambda: client.transaction().__enter__())


@example("CLOSE-01")
def a_closed_client_raises_closed(case: Case) -> None:
    """After close, every other call raises Closed. A second close is harmless."""
    client = case.client()
    client.close()
    traced(client, case.steps).close()
    for call in every_call(client):
        case.refuses(Closed, call)


def every_call(client: Backend) -> Sequence[Callable[[], object]]:
    """Return a call of each method that raises Closed once the client is closed."""
    return (
        client.setup,
        client.teardown,
        lambda: client.insert([NewRecord(kind="k")], now=NOW),
        lambda: client.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW),
        lambda: client.extend([], lease=LEASE, now=NOW),
        lambda: client.report_progress([], now=NOW),
        lambda: client.settle([], now=NOW),
        lambda: client.rescue(limit=1, now=NOW),
        lambda: client.get([]),
        lambda: client.list(Filter(), limit=1),
        lambda: client.stats(now=NOW),
        lambda: client.cancel(Filter(), limit=1, now=NOW),
        lambda: client.requeue(Filter(), limit=1, now=NOW),
        lambda: client.delete(Filter(), limit=1),
        lambda: client.purge([State.COMPLETED], before=NOW, limit=1),
        lambda: client.restore([], now=NOW),
        lambda: client.pause("default"),
        lambda: client.resume("default"),
        client.queues,
        lambda: client.wait(["default"], timeout=timedelta(0)),
    )


@example("CLOSE-02")
def closing_wakes_waits(case: Case) -> None:
    """Closing a client ends its waits within seconds. Each wait returns False or raises Closed."""
    client = case.client()

    def wait() -> object:
        try:
            return client.wait(["default"], timeout=timedelta(seconds=20))
        except Closed:
            return False
        except TallystickError as exc:
            return exc

    started = monotonic()
    waits = [Beside(wait) for _ in range(2)]
    client.close()
    answers = [one.answer() for one in waits]
    seconds = monotonic() - started
    case.that(seconds < 5, "every wait ended within 5 s", f"after {seconds:.1f} s")
    case.equal([False, False], answers)


@example("CLOSE-03")
def closing_leaves_the_store(case: Case) -> None:
    """Closing a client leaves its jobs, claims, unique keys and pauses in place for other clients."""
    with case.client() as client:
        client.insert([NewRecord(kind="k", unique_key=f"key {n}") for n in range(3)], now=NOW)
        held = client.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
        client.pause("paused")
        before = case.contents()
    case.equal(before, case.contents())
    case.equal(False, case.backend.insert([NewRecord(kind="k", unique_key="key 0")], now=NOW)[0].created)
    claimed = case.claim()
    case.client().close()
    claims = [record.claim for record in (*held, *claimed)]
    case.equal([True] * 3, list(case.backend.settle([Complete(claim) for claim in claims], now=NOW)))


@example("CLOSE-03")
def closing_again_separates_no_clients(case: Case) -> None:
    """Closing a client repeatedly leaves the other clients, old and new, on the same store."""
    client = case.client()
    for _ in range(3):
        client.close()
    newcomer = case.client()
    record = newcomer.insert([NewRecord(kind="k")], now=NOW)[0].record
    case.equal(record, case.stored(record))


@example("CLOSE-04")
def calls_meet_a_close(case: Case) -> None:
    """If a client is closed during its calls, those that returned took effect and those that raised Closed did not."""
    until, n = monotonic() + _CLOSING, 0
    while monotonic() < until:
        n += 1
        stored, taken = f"stored {n}", f"taken {n}"
        case.insert(*(NewRecord(kind="k", queue=taken) for _ in range(40)))
        client, begun = case.client(), Event()
        calls = (
            partial(_insert_two, client, stored),
            partial(_insert_two, client, stored),
            partial(_claim_two, client, taken),
        )
        *results, _ = together(*(partial(_until_closed, call, begun) for call in calls), partial(_close, client, begun))
        for queue, state, ends in ((stored, State.PENDING, results[:2]), (taken, State.RUNNING, results[2:])):
            done = set().union(*(ids for ids, _ in ends))
            found = {record.id for record in case.raw.list(Filter(queues=[queue], states=[state]), limit=10_000)}
            case.that(done <= found, "every call that returned took effect", done - found)
            unknown = any(unknown for _, unknown in ends)
            case.that(unknown or found <= done, "no call that raised Closed took effect", found - done)


def _insert_two(client: Backend, queue: str) -> Iterable[UUID]:
    return [answer.record.id for answer in client.insert([NewRecord(kind="k", queue=queue) for _ in range(2)], now=NOW)]


def _claim_two(client: Backend, queue: str) -> Iterable[UUID]:
    return [record.id for record in client.claim([queue], limit=2, worker="w", lease=LEASE, now=NOW)]


def _until_closed(call: Callable[[], Iterable[UUID]], begun: Event) -> tuple[set[UUID], bool]:
    """Repeat a call until its client is closed.

    Return the ids that it returned, and whether the last outcome is unknown.
    """
    done: set[UUID] = set()
    try:
        for _ in range(1_000):
            done.update(call())
            begun.set()
    except (Closed, OutcomeUnknown) as exc:
        return done, isinstance(exc, OutcomeUnknown)
    return done, False


def _close(client: Backend, begun: Event) -> tuple[set[UUID], bool]:
    begun.wait(5)
    client.close()
    return set(), False

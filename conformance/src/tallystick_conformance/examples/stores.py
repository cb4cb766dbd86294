"""Setting up, tearing down, sharing and closing stores."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from threading import Event
from time import monotonic
from uuid import UUID

from tallystick import (
    Backend,
    Closed,
    Complete,
    ConfigurationError,
    Filter,
    NewRecord,
    OutcomeUnknown,
    Release,
    State,
    TallystickError,
)

from ..harness.case import LEASE, NOW, Case, NotRun, example
from ..harness.threads import Beside, together
from ..subject.tracing import traced

_CLOSING = 0.3
"""Seconds during which `calls_meet_a_close` opens clients and closes them during their calls."""


@example("SETUP-01")
def setup_can_be_repeated(case: Case) -> None:
    """Another setup of a store with records changes nothing, from the same client or from another."""
    case.running(unique_key="key")
    case.backend.pause("paused")
    before = case.contents()
    case.backend.setup()
    case.client().setup()
    case.equal(before, case.contents())


@example("SETUP-02")
def teardown_removes_everything(case: Case) -> None:
    """Teardown removes all records, queues, pauses and unique keys. A second teardown is harmless."""
    new = NewRecord(kind="k", unique_key="key")
    case.insert(new)
    case.backend.pause("paused")
    case.backend.teardown()
    case.backend.teardown()
    case.backend.setup()
    contents = case.contents()
    case.equal(([], []), (contents["records"], contents["queues"]))
    case.equal(0, contents["stats"].total)
    answers = case.backend.insert([new, NewRecord(kind="k", queue="paused")], now=NOW)
    case.equal([True, True], [answer.created for answer in answers])
    case.equal(2, len(case.claim(queues=["default", "paused"])))


@example("SETUP-02")
def open_clients_share_the_new_store(case: Case) -> None:
    """Clients that stay open while another client tears the store down and sets it up again share the new store."""
    clients = [case.client() for _ in range(2)]
    for client in clients:
        client.insert([NewRecord(kind="old")], now=NOW)
        client.stats(now=NOW)
    case.backend.teardown()
    case.backend.setup()
    for n, client in enumerate(clients):
        client.insert([NewRecord(kind=f"k{n}")], now=NOW)
    for client in (case.backend, *clients):
        case.equal({"k0", "k1"}, {record.kind for record in client.list(Filter(), limit=9)})
    case.equal(2, len(case.claim()))
    case.equal(["default"], [queue.name for queue in case.backend.queues()])


@example("SETUP-03")
def namespaces_are_separate(case: Case) -> None:
    """Two namespaces have separate records, unique keys, ids and pauses. Teardown of one leaves the other unchanged."""
    _, other = case.elsewhere()
    new = NewRecord(kind="k", unique_key="key")
    case.insert(new)
    case.backend.pause("default")
    case.equal(0, other.stats(now=NOW).total)
    case.equal(True, other.insert([new], now=NOW)[0].created)
    case.equal(1, len(other.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW)))
    before = case.contents()
    other.teardown()
    case.equal(before, case.contents())


@example("SETUP-04")
def clients_share_a_store(case: Case) -> None:
    """Each client sees at once what another client inserts, pauses, claims and settles."""
    other = case.client()
    record = case.insert(NewRecord(kind="k", unique_key="key"))[0]
    case.equal({record.id: record}, other.get([record.id]))
    case.backend.pause("default")
    case.equal(0, len(other.claim(["default"], limit=9, worker="o", lease=LEASE, now=NOW)))
    other.resume("default")
    claimed = case.only(case.claim())
    case.equal([True], list(other.settle([Complete(claimed.claim, b"done")], now=NOW)))
    case.equal(State.COMPLETED, case.stored(record).state)
    case.equal([False], list(case.backend.settle([Complete(claimed.claim)], now=NOW)))


@example("SETUP-05")
def eight_set_up_at_once(case: Case) -> None:
    """Eight clients can set up a new store at the same time and then use it."""
    for _ in range(3):
        case.backend.teardown()
        clients = [case.client() for _ in range(8)]
        together(*(traced(client, case.steps).setup for client in clients))
        for n, client in enumerate(clients):
            client.insert([NewRecord(kind=f"k{n}")], now=NOW)
        case.equal(8, len(case.claim()))


@example("SETUP-06")
def bad_urls_are_rejected(case: Case) -> None:
    """An unknown option and an invalid namespace raise ConfigurationError."""
    url, backend = case.target.url, case.target.backend
    if url is None or backend is None:
        raise NotRun("the target was not given as a URL")
    with_option = f"{url}{'&' if '?' in url else '?'}no_such_option_of_any_backend=1"
    case.refuses(ConfigurationError, lambda: backend.from_url(with_option).close())
    for namespace in ("", "n" * 33, "A", "a-b", "a'b"):
        case.refuses(ConfigurationError, partial(backend.namespaced, url, namespace))


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
        lambda: client.settle([], now=NOW),
        lambda: client.rescue(limit=1, now=NOW),
        lambda: client.get([]),
        lambda: client.list(Filter(), limit=1),
        lambda: client.stats(now=NOW),
        lambda: client.cancel(Filter(), limit=1, now=NOW),
        lambda: client.requeue(Filter(), limit=1, now=NOW),
        lambda: client.delete(Filter(), limit=1),
        lambda: client.purge([State.COMPLETED], before=NOW, limit=1),
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


@example("CLAIM-07")
def an_empty_claim_is_not_cached(case: Case) -> None:
    """An empty claim does not hide jobs that another client then inserts, resumes, requeues, releases or rescues."""
    other = case.client()

    def found() -> list[str]:
        records = other.claim(["default"], limit=9, worker="o", lease=2 * LEASE, now=NOW + LEASE)
        case.backend.settle([Complete(record.claim) for record in records], now=NOW + LEASE)
        return sorted(record.kind for record in records)

    case.insert(NewRecord(kind="future", run_at=10 * LEASE))
    case.insert(NewRecord(kind="released"))
    released = case.only(case.claim())
    case.equal([], found())
    case.backend.settle([Release(released.claim)], now=NOW)
    case.equal(["released"], found())
    case.equal([], found())
    case.insert(NewRecord(kind="inserted"))
    case.equal(["inserted"], found())
    case.equal([], found())
    case.backend.requeue(Filter(), limit=9, now=NOW)
    case.equal(["inserted", "released"], found())
    case.insert(NewRecord(kind="rescued"))
    case.claim()
    case.equal([], found())
    case.backend.rescue(limit=9, now=NOW + LEASE)
    case.equal(["rescued"], found())
    case.insert(NewRecord(kind="resumed"))
    case.backend.pause("default")
    case.equal([], found())
    case.backend.resume("default")
    case.equal(["resumed"], found())

"""Opening and setting up stores: concurrently, in use, next to other stores, and after all clients closed."""

from contextlib import suppress
from functools import partial

from tallystick import Closed, Complete, ConfigurationError, Filter, NewRecord, State, TallystickError

from ..harness.case import LEASE, NOW, Case, NotRun, example
from ..harness.children import PATIENCE, Child, require_sendable, run_in_processes
from ..harness.threads import together
from ..subject.tracing import traced

_PROCESSES = 8
_STORES = 3
_HOSTILE = (
    "", "n" * 33, "A", "a-b", "a'b", 'a"b', "a;b", "a b", "a.b", "a/b", "../a", "a\\b", "a%b", "a\n", "\0", "\u00e9",
    "'; DROP TABLE jobs; --",
)  # fmt: skip


@example("SETUP-06")
def hostile_namespaces_are_rejected(case: Case) -> None:
    """An invalid namespace raises ConfigurationError before anything is opened."""
    url, backend = case.target.url, case.target.backend
    if url is None or backend is None:
        raise NotRun("the target was not given as a URL")
    for namespace in _HOSTILE:
        case.refuses(ConfigurationError, partial(backend.namespaced, url, namespace))


@example("SETUP-03")
def long_namespaces_are_separate(case: Case) -> None:
    """Namespaces of 32 characters that differ only in the last one are separate. A namespace may begin with digits."""
    alike = f"{case.namespace}{'_' * 32}"[:31]
    clients = [case.target.make(name) for name in (f"{alike}a", f"{alike}b", f"{len(alike)}{alike[1:]}")]
    try:
        for n, client in enumerate(clients):
            client.setup()
            client.insert([NewRecord(kind=f"k{n}", unique_key="key")], now=NOW)
        for n, client in enumerate(clients):
            case.equal([f"k{n}"], [record.kind for record in client.list(Filter(), limit=9)])
            client.teardown()
            case.equal(0, len(case.backend.list(Filter(), limit=9)))
    finally:
        for client in clients:
            client.teardown()
            client.close()


@example("SETUP-03")
def a_neighbour_survives(case: Case) -> None:
    """Setup, purge, delete and teardown of one store leave the jobs and pauses of another store unchanged."""
    case.running(unique_key="key")
    case.backend.settle([Complete(case.running().claim, b"result")], now=NOW)
    case.backend.pause("paused")
    before = case.contents()
    _, other = case.elsewhere()
    other.insert([NewRecord(kind="k", unique_key="key")], now=NOW)
    record = case.only(other.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW))
    other.settle([Complete(record.claim)], now=NOW)
    other.purge([State.COMPLETED], before=NOW + LEASE, limit=9)
    other.resume("paused")
    other.delete(Filter(), limit=9)
    other.setup()
    other.teardown()
    other.setup()
    case.equal(before, case.contents())


@example("SETUP-07")
def processes_set_up_at_once(case: Case) -> None:
    """Eight new processes can set up a store at the same time and then use it, for each of three stores."""
    require_sendable(case)
    results = run_in_processes(case, _set_up, _PROCESSES)
    kinds = [_found_and_removed(case, name) for name in _stores(case.namespace)]
    case.equal([""] * _PROCESSES, [result.error or result.value for result in results])
    case.equal([[f"k{n}" for n in range(_PROCESSES)]] * _STORES, kinds)


def _stores(namespace: str) -> list[str]:
    return [f"{namespace[:28]}_{n}" for n in range(_STORES)]


def _set_up(child: Child) -> str:
    errors = []
    for name in _stores(child.namespace):
        try:
            with child._replace(namespace=name).open() as backend:
                child.barrier.wait(PATIENCE)
                backend.setup()
                backend.insert([NewRecord(kind=f"k{child.number}")], now=NOW)
        except Exception as exc:
            errors.append(repr(exc))
    return ", ".join(errors)


def _found_and_removed(case: Case, name: str) -> list[str]:
    with case.target.make(name) as backend:
        try:
            return sorted(record.kind for record in backend.list(Filter(), limit=100))
        except TallystickError as exc:
            return [repr(exc)]
        finally:
            backend.teardown()


@example("SETUP-08")
def setup_while_others_work(case: Case) -> None:
    """A setup of a store in use does not lose, reject or undo what other clients do at the same time."""
    clients = [case.client() for _ in range(4)]
    for n in range(3):
        queue = f"q{n}"
        answers = together(
            clients[0].setup,
            clients[1].setup,
            lambda queue=queue: [clients[2].insert([NewRecord(kind="k", queue=queue)], now=NOW) for _ in range(5)],  # type: ignore[misc]
            lambda queue=queue: [clients[3].pause(f"{queue}.{m}") for m in range(5)],  # type: ignore[misc]
        )
        case.equal(4, len(answers))
        case.equal(5, len(case.claim(queues=[queue])))
        case.equal(5, len([name for name, paused in case.backend.queues() if paused and name.startswith(queue)]))


@example("DURABLE-01")
def a_store_opened_again_has_everything(case: Case) -> None:
    """After all clients close, a new client finds every record, queue, pause, claim and unique key unchanged."""
    waits = case.insert(NewRecord(kind="k", unique_key="waits", tags=("b", "a"), payload=b"\0\xff", run_at=LEASE))[0]
    running = case.running(queue="default", unique_key="runs")
    case.backend.settle([Complete(case.running(unique_key="kept", unique_until="purged").claim, b"")], now=NOW)
    case.backend.pause("paused")
    before = case.contents()
    case.backend.close()
    again = case.client()
    after = {
        "records": list(again.list(Filter(), limit=1_000)),
        "queues": list(again.queues()),
        "stats": again.stats(now=NOW),
    }
    case.equal(before, after)
    held = again.insert([NewRecord(kind="k", unique_key=key) for key in ("waits", "runs", "kept")], now=NOW)
    case.equal([False] * 3, [answer.created for answer in held])
    case.equal([True], list(again.settle([Complete(running.claim)], now=NOW)))
    case.equal([waits.id], [r.id for r in again.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW + LEASE)])


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


@example("SETUP-04")
def no_client_reads_old_state(case: Case) -> None:
    """After each change by one client, another client reads the new state by get, list, stats and queues."""
    other = case.client()
    record = case.insert(NewRecord(kind="k"))[0]
    steps = (
        case.claim,
        lambda: case.backend.extend([case.stored(record).claim], lease=2 * LEASE, now=NOW),
        lambda: case.backend.cancel(Filter(), limit=1, now=NOW),
        lambda: case.backend.rescue(limit=1, now=NOW + 2 * LEASE),
        lambda: case.backend.requeue(Filter(), limit=1, now=NOW),
        lambda: case.backend.pause("default"),
        lambda: case.backend.resume("default"),
        case.claim,
        lambda: case.backend.settle([Complete(case.stored(record).claim, b"x")], now=NOW),
    )
    for step in steps:
        other.get([record.id])
        step()
        mine = (case.stored(record), case.backend.stats(now=NOW), list(case.backend.queues()))
        case.equal(mine, (other.get([record.id])[record.id], other.stats(now=NOW), list(other.queues())))
        case.equal([mine[0]], list(other.list(Filter(), limit=9)))
    case.backend.delete(Filter(), limit=1)
    case.equal({}, other.get([record.id]))

"""Setting up and tearing down stores: repeated, by several clients or processes, and in use."""

from tallystick import Filter, NewRecord, TallystickError

from ..harness.case import NOW, Case, example
from ..harness.children import PATIENCE, Child, require_sendable, run_in_processes
from ..harness.threads import together
from ..subject.tracing import traced
from .registered import fill_registers

_PROCESSES = 8
_STORES = 3


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
    """Teardown removes all records, queues, pauses, keys and registers. A second teardown is harmless."""
    new = NewRecord(kind="k", unique_key="key")
    case.insert(new)
    case.backend.pause("paused")
    fill_registers(case.backend)
    case.backend.teardown()
    case.backend.teardown()
    case.backend.setup()
    contents = case.contents()
    for name in ("records", "queues", "schedules", "workers", "meters"):
        case.equal([], contents[name])
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


@example("SETUP-07")
def processes_set_up_at_once(case: Case) -> None:
    """Eight new processes can set up a store at the same time and then use it, for each of three stores."""
    require_sendable(case)
    stores = _stores(case.namespace)
    with case.target.others(*stores):
        results = run_in_processes(case, _set_up, _PROCESSES)
        kinds = [_found_and_removed(case, name) for name in stores]
    case.equal([""] * _PROCESSES, [result.error or result.value for result in results])
    case.equal([[f"k{n}" for n in range(_PROCESSES)]] * _STORES, kinds)


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


def _stores(namespace: str) -> list[str]:
    return [f"{namespace[:28]}_{n}" for n in range(_STORES)]


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

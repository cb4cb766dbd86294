"""Namespaces separate stores; malformed URLs and invalid namespaces are rejected."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from tallystick import Backend, Complete, ConfigurationError, Filter, NewRecord, State

from ..harness.case import LEASE, NOW, Case, NotRun, example
from .registered import fill_registers

_HOSTILE = (
    "", "n" * 33, "A", "a-b", "a'b", 'a"b', "a;b", "a b", "a.b", "a/b", "../a", "a\\b", "a%b", "a\n", "\0", "\u00e9",
    "'; DROP TABLE jobs; --",
)  # fmt: skip


@example("SETUP-03")
def names_that_begin_alike_are_separate(case: Case) -> None:
    """Stores whose namespaces share a prefix, or differ only at an underscore, are separate."""
    base = f"{case.namespace[:24]}_n"
    names = [base, f"{base}_b", f"{base}xb", f"{base}__b", f"{base}_1"]
    with _clients(case, names) as clients:
        for n, client in enumerate(clients):
            client.setup()
            client.insert([NewRecord(kind=f"k{n}", unique_key="key")], now=NOW)
        case.insert(NewRecord(kind="here"))
        for n, client in enumerate(clients):
            client.teardown()
            kinds = [[record.kind for record in other.list(Filter(), limit=9)] for other in clients[n + 1 :]]
            case.equal([[f"k{m}"] for m in range(n + 1, len(clients))], kinds)
            case.equal(["here"], [record.kind for record in case.backend.list(Filter(), limit=9)])


@example("SETUP-03")
def long_namespaces_are_separate(case: Case) -> None:
    """Namespaces of 32 characters that differ only in the last one are separate. A namespace may begin with digits."""
    alike = f"{case.namespace}{'_' * 32}"[:31]
    with _clients(case, [f"{alike}a", f"{alike}b", f"{len(alike)}{alike[1:]}"]) as clients:
        for n, client in enumerate(clients):
            client.setup()
            client.insert([NewRecord(kind=f"k{n}", unique_key="key")], now=NOW)
        for n, client in enumerate(clients):
            case.equal([f"k{n}"], [record.kind for record in client.list(Filter(), limit=9)])
            client.teardown()
            case.equal(0, len(case.backend.list(Filter(), limit=9)))


@contextmanager
def _clients(case: Case, names: Sequence[str]) -> Iterator[list[Backend]]:
    """Open clients of other stores, and remove these stores at the end."""
    with case.target.others(*names):
        clients = [case.target.make(name) for name in names]
        try:
            yield clients
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
    fill_registers(case.backend)
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


@example("SETUP-06")
def malformed_urls_are_rejected(case: Case) -> None:
    """A malformed URL raises ConfigurationError."""
    url, backend = case.target.url, case.target.backend
    if url is not None and backend is not None:
        case.refuses(ConfigurationError, lambda: backend.from_url(f"{url.partition(':')[0]}://[").close())


@example("SETUP-06")
def hostile_namespaces_are_rejected(case: Case) -> None:
    """An invalid namespace raises ConfigurationError before anything is opened."""
    url, backend = case.target.url, case.target.backend
    if url is None or backend is None:
        raise NotRun("the target was not given as a URL")
    for namespace in _HOSTILE:
        case.refuses(ConfigurationError, partial(backend.namespaced, url, namespace))


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

"""Combined conditions: unique keys of finished jobs, deletes in each state, and stores with similar names."""

from functools import partial
from typing import Any

from tallystick import Backend, Complete, Discard, Failure, Filter, NewRecord, Release, Retry

from ..harness.case import LEASE, NOW, Case, example

_ERROR = Failure("E", "m")


@example("REQUEUE-04")
def a_finished_job_with_its_key_prevents_a_requeue(case: Case) -> None:
    """A finished job that holds its key until `purged` prevents the requeue of an earlier job with that key."""
    past = case.running(unique_key="key")
    case.backend.settle([Complete(past.claim)], now=NOW)
    holder = case.running(unique_key="key", unique_until="purged")
    case.backend.settle([Complete(holder.claim)], now=NOW)
    before = case.contents()
    case.equal([], list(case.backend.requeue(Filter(ids=[past.id]), limit=9, now=NOW)))
    case.equal(before, case.contents())
    case.equal([holder.id], list(case.backend.requeue(Filter(), limit=9, now=NOW)))
    case.equal([holder.id], [record.id for record in case.claim()])


@example("DELETE-02")
def every_state_but_one_is_deleted(case: Case) -> None:
    """`delete` removes jobs in each state except running, with and without a unique key."""
    keys: tuple[dict[str, Any], ...] = ({}, {"unique_key": "key"}, {"unique_key": "kept", "unique_until": "purged"})
    for fields in keys:
        for end in (Complete, partial(Discard, error=_ERROR), partial(Retry, run_at=LEASE, error=_ERROR), Release):
            ended = case.running(**fields)
            case.backend.settle([end(ended.claim)], now=NOW)
            case.equal([ended.id], list(case.backend.delete(Filter(ids=[ended.id]), limit=1)))
        running = case.running(**fields)
        case.equal([], list(case.backend.delete(Filter(), limit=1)))
        case.backend.rescue(limit=1, now=NOW + LEASE)
        case.equal([running.id], list(case.backend.delete(Filter(), limit=1)))


@example("SETUP-03")
def names_that_begin_alike_are_separate(case: Case) -> None:
    """Stores whose namespaces share a prefix, or differ only at an underscore, are separate."""
    base = f"{case.namespace[:24]}_n"
    names = [base, f"{base}_b", f"{base}xb", f"{base}__b", f"{base}_1"]
    clients: list[Backend] = [case.target.make(name) for name in names]
    try:
        for n, client in enumerate(clients):
            client.setup()
            client.insert([NewRecord(kind=f"k{n}", unique_key="key")], now=NOW)
        case.insert(NewRecord(kind="here"))
        for n, client in enumerate(clients):
            client.teardown()
            kinds = [[record.kind for record in other.list(Filter(), limit=9)] for other in clients[n + 1 :]]
            case.equal([[f"k{m}"] for m in range(n + 1, len(clients))], kinds)
            case.equal(["here"], [record.kind for record in case.backend.list(Filter(), limit=9)])
    finally:
        for client in clients:
            client.teardown()
            client.close()

"""Where calls meet: keys of jobs that ended, odd neighbours."""

from functools import partial
from typing import Any

from tallystick import Backend, Complete, Discard, Failure, Filter, NewRecord, Release, Retry

from ..case import LEASE, NOW, Case, example

_ERROR = Failure("E", "m")


@example("REQUEUE-04")
def a_job_that_ended_keeps_others_from_its_key(case: Case) -> None:
    """While a job that ended holds its key until it is purged, none that had the key before is requeued."""
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
    """A delete removes what waits, retries and has ended in any way, with a key and without, and leaves what runs."""
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
    """A store whose name begins with another's, or has another sign for its underscore, is a store of its own."""
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

"""Where calls meet: long batches with a fault at their end, long filters, keys of jobs that ended, odd neighbours."""

from collections.abc import Callable
from functools import partial
from typing import Any

from windlass import Backend, Complete, Discard, Failure, Filter, InvalidArgument, NewRecord, Release, Retry, State

from ..case import LEASE, NOW, Case, example

_ERROR = Failure("E", "m")
_MANY = 1_200
"""More than the hundreds and the thousand into which batches have been seen to be cut."""


@example("BATCH-04")
def a_long_batch_is_refused_whole(case: Case) -> None:
    """A bad item at the end of a long insert or settle undoes the whole, however it is cut on its way to the store."""
    size = min(_MANY, case.capabilities.max_batch)
    too_large = b"x" * (case.capabilities.max_payload_bytes + 1)
    new = [NewRecord(kind="k", queue="new") for _ in range(size - 1)]
    bad = NewRecord(kind="k", payload=too_large)
    _is_refused(case, partial(case.raw.insert, [*new, bad], now=NOW))
    case.equal((0, []), (case.raw.stats(now=NOW).total, list(case.raw.queues())))
    case.raw.insert([*new, NewRecord(kind="k", queue="new")], now=NOW)
    outcomes = [Complete(record.claim) for record in case.claim(size, queues=["new"])]
    outcomes[-1] = Complete(outcomes[-1].claim, too_large)
    _is_refused(case, partial(case.raw.settle, outcomes, now=NOW))
    case.equal(size, case.raw.stats(now=NOW).by_state[State.RUNNING])


def _is_refused(case: Case, call: Callable[[], object]) -> None:
    """Require it without a word of each item, which `Case.refuses` would write."""
    try:
        call()
    except InvalidArgument:
        return
    case.that(False, "InvalidArgument for the last of a long batch", "an answer")


@example("UNIQUE-02")
def the_ends_of_a_long_batch_meet(case: Case) -> None:
    """An id and a key that are both first and last in a long batch are stored once."""
    size = min(_MANY, case.capabilities.max_batch)
    first = NewRecord(kind="first", unique_key="key")
    again, rival = NewRecord(kind="again", id=first.id), NewRecord(kind="rival", unique_key="key")
    batch = [first, *(NewRecord(kind="k") for _ in range(size - 3)), again, rival]
    answers = case.raw.insert(batch, now=NOW)
    case.equal([True, False, False], [answers[n].created for n in (0, -2, -1)])
    case.equal(["first"] * 3, [answers[n].record.kind for n in (0, -2, -1)])
    case.equal(size - 2, case.raw.stats(now=NOW).total)


@example("FILTER-01")
def long_filters_are_read_to_their_end(case: Case) -> None:
    """Of a filter with many kinds, queues or tags, unknown and repeated ones among them, the last counts too."""
    record = case.insert(NewRecord(kind="last", queue="last", tags=("other", "last")))[0]
    case.insert(NewRecord(kind="k", queue="q", tags=("t",)))
    names = [f"unknown {n % 700}" for n in range(_MANY)] + ["last"]
    for filter in (Filter(kinds=names), Filter(queues=names), Filter(tags=names)):
        found = [found.id for found in case.raw.list(filter, limit=9)]
        case.that(found == [record.id], "the record that the last name fits", found)
    case.equal([record.id], list(case.raw.cancel(Filter(kinds=names, tags=names), limit=9, now=NOW)))


@example("CLAIM-03")
def a_claim_reads_its_queues_to_their_end(case: Case) -> None:
    """A claim from more than a thousand queues takes from the last of them too."""
    case.insert(NewRecord(kind="k", queue="last"), NewRecord(kind="k", queue="another"))
    names = [*(f"unknown {n}" for n in range(_MANY)), "last"]
    claimed = case.raw.claim(names, limit=9, worker="w", lease=LEASE, now=NOW)
    case.equal(["last"], [record.queue for record in claimed])


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

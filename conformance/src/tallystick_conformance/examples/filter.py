"""Filters with every pair of fields, with empty collections and with long ones."""

from datetime import datetime, timedelta
from typing import Any

from tallystick import Cancel, Changes, Complete, Discard, Failure, Filter, NewRecord, Retry, State

from ..contract.eligibility import fits
from ..harness.case import LEASE, NOW, Case, example
from .common import MANY


@example("FILTER-01")
def long_filters_are_read_to_their_end(case: Case) -> None:
    """A filter with more than a thousand kinds, queues or tags finds a record that fits only the last of them."""
    record = case.insert(NewRecord(kind="last", queue="last", tags=("other", "last")))[0]
    case.insert(NewRecord(kind="k", queue="q", tags=("t",)))
    names = [f"unknown {n % 700}" for n in range(MANY)] + ["last"]
    for filter in (Filter(kinds=names), Filter(queues=names), Filter(tags=names)):
        found = [found.id for found in case.raw.list(filter, limit=9)]
        case.that(found == [record.id], "the record that the last name fits", found)
    case.equal([record.id], list(case.raw.cancel(Filter(kinds=names, tags=names), limit=9, now=NOW)))


@example("FILTER-01")
def filters_combine(case: Case) -> None:
    """A filter with two fields returns exactly the records that fit both, for every pair of fields."""
    case.insert(*(
        NewRecord(kind=kind, queue=queue, tags=tags)
        for kind in ("a", "b") for queue in ("x", "y") for tags in ((), ("t",), ("u", "t"), ("tt",))
    ))  # fmt: skip
    claimed = case.claim(5, queues=["x"])
    case.backend.settle([Complete(record.claim) for record in claimed[:2]], now=NOW)
    case.backend.settle([Retry(claimed[2].claim, NOW, Failure("E", "m"))], now=NOW + LEASE)
    case.backend.settle([Discard(claimed[3].claim, Failure("F", "m"))], now=NOW + LEASE)
    case.backend.claim(["y"], limit=2, worker="v", lease=LEASE, now=NOW)
    case.backend.insert([NewRecord(kind="a", unique_key=key) for key in ("key", "Key")], now=NOW + LEASE)
    stored = list(case.backend.list(Filter(), limit=100))
    fields: tuple[dict[str, object], ...] = (
        {"ids": [record.id for record in stored[3:12]] * 2},
        {"states": [State.PENDING, State.COMPLETED]},
        {"states": [State.RUNNING]},
        {"kinds": ["a", "unknown"]},
        {"queues": ["x", "x"]},
        {"tags": ["t"]},
        {"tags": ["u", "tt"]},
        {"tags": []},
        {"workers": ["w", "unknown"]},
        {"error_types": ["E", "e"]},
        {"unique_keys": ["key", "KEY"]},
        {"created_since": NOW + LEASE},
        {"created_until": NOW + LEASE},
        {"finished_since": NOW + LEASE},
        {"finished_since": NOW, "finished_until": NOW + LEASE},
    )
    for first in fields:
        for second in fields:
            filter = Filter(**{**first, **second})  # type: ignore[arg-type]
            expected = [record.id for record in stored if fits(filter, record)]
            case.equal(expected, [record.id for record in case.backend.list(filter, limit=100)])
            case.equal(len(expected), case.backend.count(filter))


@example("FILTER-01")
def an_empty_collection_fits_nothing(case: Case) -> None:
    """A filter with an empty collection in any field fits no record, whatever its other fields are."""
    case.backend.settle([Complete(case.running(tags=("t",)).claim)], now=NOW)
    case.insert(NewRecord(kind="k", tags=("t",)))
    backend, before = case.backend, case.contents()
    for field in ("ids", "states", "kinds", "queues", "tags", "workers", "unique_keys", "error_types"):
        nothing = Filter(**{field: []})  # type: ignore[arg-type]
        case.equal(0, backend.count(nothing))
        case.equal([], list(backend.update(nothing, Changes(priority=3), limit=9, now=NOW)))
        case.equal([], list(backend.list(nothing, limit=9)))
        case.equal([], list(backend.cancel(nothing, limit=9, now=NOW)))
        case.equal([], list(backend.requeue(nothing, limit=9, now=NOW)))
        case.equal([], list(backend.delete(nothing, limit=9)))
    case.equal(before, case.contents())


@example("FILTER-01")
def changes_use_every_field(case: Case) -> None:
    """cancel, requeue, update and delete change only the jobs that fit a filter by worker, error, key or time."""
    case.backend.insert([NewRecord(kind="old", unique_key="other")], now=NOW - LEASE)
    case.insert(NewRecord(kind="new", unique_key="key"), NewRecord(kind="third"))
    [old] = case.backend.claim(["default"], limit=1, worker="v", lease=LEASE, now=NOW - LEASE)
    case.backend.settle([Retry(old.claim, NOW, Failure("E", "m"))], now=NOW - LEASE)
    backend = case.backend
    by_worker, by_error = Filter(workers=["v"]), Filter(error_types=["E"])
    by_key, by_time = Filter(unique_keys=["key"]), Filter(created_until=NOW)
    [new] = (record for record in backend.list(by_key, limit=9))
    for filter, id in ((by_worker, old.id), (by_error, old.id), (by_time, old.id), (by_key, new.id)):
        priority = 1 + backend.list(filter, limit=9)[0].priority
        case.equal([id], list(backend.update(filter, Changes(priority=priority), limit=9, now=NOW)))
        case.equal([id], list(backend.cancel(filter, limit=9, now=NOW)))
        case.equal([id], list(backend.requeue(filter, limit=9, now=NOW)))
    case.equal([old.id], list(backend.delete(by_error, limit=9)))
    case.equal([new.id], list(backend.delete(by_key, limit=9)))
    case.equal(1, backend.count(Filter()))


@example("FILTER-02")
def ranges_have_their_start(case: Case) -> None:
    """A record at `since` matches, and one at `until` does not, to the precision of the store."""
    tick = case.capabilities.time_precision
    times = [NOW - tick, NOW, NOW + tick]
    for time in times:
        case.backend.insert([NewRecord(kind="k")], now=time)
        record = case.only(case.claim(1, now=time))
        case.backend.settle([Cancel(record.claim)], now=time)
    case.insert(NewRecord(kind="unfinished", run_at=timedelta(days=1)))
    _require_ranges(case, "created", [*times, NOW])
    _require_ranges(case, "finished", times)


def _require_ranges(case: Case, name: str, times: list[datetime]) -> None:
    bounds = [None, *times, times[-1] + LEASE]
    for since in bounds:
        for until in bounds:
            if (since and until and since > until) or (since is until is None):
                continue
            ends: Any = {f"{name}_since": since, f"{name}_until": until}
            expected = sum((not since or since <= time) and (not until or time < until) for time in times)
            case.equal(expected, case.backend.count(Filter(**ends)))
            case.equal(expected, len(case.backend.list(Filter(**ends), limit=9)))


_MESSAGES = ("connection refused", "Connection reset", "100% _ [a] .*", "\\ ' \" $1", "\u65e5\u672c \U0001f600", "")


@example("FILTER-03")
def errors_are_found_by_text(case: Case) -> None:
    """error_text matches a part of the type or message of last_error. Case matters, and no character is special."""
    case.insert(*(NewRecord(kind="k") for _ in _MESSAGES), NewRecord(kind="pending", run_at=timedelta(days=1)))
    records = case.claim(len(_MESSAGES))
    failures = {
        r.id: Failure(f"Type{n}", message) for n, (r, message) in enumerate(zip(records, _MESSAGES, strict=True))
    }
    case.backend.settle([Discard(record.claim, failures[record.id]) for record in records], now=NOW)
    texts = ("connection", "onn", "ection re", "%", "_", "[a]", ".*", "\\", "'", '"', "$1", "\u65e5", "\U0001f600",
             "Type", "ype1", "type", "Type1connection", "absent")  # fmt: skip
    for text in texts:
        expected = {id for id, error in failures.items() if text in error.type or text in error.message}
        case.equal(expected, {record.id for record in case.backend.list(Filter(error_text=text), limit=99)})
        case.equal(len(expected), case.backend.count(Filter(error_text=text)))


@example("FILTER-03")
def text_of_a_long_or_odd_message_is_found(case: Case) -> None:
    """error_text also finds text beside NUL and lone surrogates, and at the end of a long message."""
    messages = ("\x00 needle", "\ud800 needle", "x" * 3_000 + " needle", "line\r\nneedle", "\\u0000")
    case.insert(*(NewRecord(kind="k") for _ in messages))
    records = case.claim()
    outcomes = [Retry(r.claim, NOW, Failure("E", message)) for r, message in zip(records, messages, strict=True)]
    case.backend.settle(outcomes, now=NOW)
    case.equal(4, case.backend.count(Filter(error_text="needle")))
    case.equal([records[4].id], [record.id for record in case.backend.list(Filter(error_text="u0000"), limit=9)])
    case.equal(4, len(case.backend.cancel(Filter(error_text="needle"), limit=9, now=NOW)))

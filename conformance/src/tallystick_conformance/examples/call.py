"""Valid calls return values of the declared types, also at the limits of their arguments and from several threads."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from tallystick import (
    Claim,
    Complete,
    Filter,
    Hold,
    Inserted,
    NewRecord,
    ProgressReport,
    Queue,
    QueueStats,
    Record,
    Release,
    Retry,
    State,
    Stats,
)
from tallystick.contract.records import MAX_ATTEMPTS, PRIORITIES
from tallystick.contract.state import FINAL
from tallystick.contract.validation import NAME_LENGTH

from ..contract.typed import flaws
from ..harness.case import LEASE, NOW, Case, example
from ..harness.threads import together
from .common import ERROR, LARGEST_LIMIT

_LONGEST = "\N{SNOWMAN}" * NAME_LENGTH

_LIMITS: tuple[dict[str, Any], ...] = (
    {"max_attempts": MAX_ATTEMPTS[0]},
    {"max_attempts": MAX_ATTEMPTS[1]},
    {"priority": PRIORITIES[0]},
    {"priority": PRIORITIES[1]},
    {"unique_key": _LONGEST, "unique_until": "purged"},
    {"tags": tuple(_LONGEST[n:] for n in range(100))},
    {"kind": _LONGEST},
)


@example("CALL-01")
def the_largest_numbers_are_accepted(case: Case) -> None:
    """Each call accepts the largest limit, unknown attempts, and the bounds of priority and max_attempts."""
    backend = case.backend
    case.insert(*(NewRecord(kind="k", priority=priority, max_attempts=most)
                  for priority in PRIORITIES for most in MAX_ATTEMPTS))  # fmt: skip
    claimed = case.claim(LARGEST_LIMIT)
    case.equal([PRIORITIES[1]] * 2 + [PRIORITIES[0]] * 2, [record.priority for record in claimed])
    stale = [Claim(claimed[0].id, attempt) for attempt in (0, 2, 2**15, 2**31, 2**40)]
    case.equal([Hold.LOST] * 5, list(backend.extend(stale, lease=LEASE, now=NOW)))
    case.equal([False] * 5, list(backend.settle([Complete(claim) for claim in stale], now=NOW)))
    case.equal(4, len(backend.rescue(limit=LARGEST_LIMIT, now=NOW + LEASE)))
    case.equal(4, len(backend.list(Filter(), limit=LARGEST_LIMIT)))
    case.equal(2, len(backend.cancel(Filter(), limit=LARGEST_LIMIT, now=NOW)))
    case.equal(4, len(backend.requeue(Filter(), limit=LARGEST_LIMIT, now=NOW)))
    case.equal(0, backend.purge([State.CANCELLED], before=NOW + LEASE, limit=LARGEST_LIMIT))
    case.equal(4, len(backend.delete(Filter(), limit=LARGEST_LIMIT)))


@example("CALL-01")
def limits_harm_no_neighbour(case: Case) -> None:
    """Jobs with fields at their limits, in a batch with others, are claimed, extended, settled and requeued."""
    new = [NewRecord(**{"kind": "k", **fields}) for fields in _LIMITS]
    case.insert(*(record for pair in zip(new, (NewRecord(kind="k") for _ in new), strict=True) for record in pair))
    count = 2 * len(new)
    for end in (Release, lambda claim: Retry(claim, NOW, ERROR), Complete):
        claimed = case.claim(count)
        case.equal(count, len(claimed))
        claims = [record.claim for record in claimed]
        case.equal([Hold.HELD] * count, list(case.backend.extend(claims, lease=LEASE, now=NOW)))
        case.equal([True] * count, list(case.backend.settle([end(claim) for claim in claims], now=NOW)))
    case.equal(count, len(case.backend.requeue(Filter(), limit=count, now=NOW)))
    case.equal(count, len(case.claim(count)))
    case.equal(count, len(case.backend.rescue(limit=count, now=NOW + LEASE)))
    case.equal(count, len(case.backend.list(Filter(), limit=count + 1)))


@example("CALL-01")
def threads_read_through_one_client(case: Case) -> None:
    """Three threads that read through one client while a fourth inserts all get correct results."""
    client, ids = case.client(), [record.id for record in case.insert(*(NewRecord(kind="k") for _ in range(3)))]
    reads: tuple[Callable[[], object], ...] = (
        lambda: client.stats(now=NOW).total,
        lambda: len(client.list(Filter(), limit=9)),
        lambda: len(client.get(ids)),
        lambda: client.insert([NewRecord(kind="k", id=ids[0])], now=NOW)[0].created,
    )
    for _ in range(case.profile.rounds // 4):
        case.equal([3, 3, 3, False], together(*(partial(_last_of, read) for read in reads)))


def _last_of(call: Callable[[], object]) -> object:
    return [call() for _ in range(5)][-1]


@example("CALL-02")
def results_have_their_types(case: Case) -> None:
    """Each call returns its declared type: a sequence, dict, bool, int or Stats, with items of the declared type."""
    backend, ids = case.backend, []
    inserted = backend.insert([NewRecord(kind="k", tags=("a", "b")) for _ in range(4)], now=NOW)
    _require_sequence(case, inserted, Inserted)
    for answer in inserted:
        _require_sequence(case, [answer.created], bool)
        ids.append(answer.record.id)
    claimed = backend.claim(["default"], limit=3, worker="w", lease=LEASE, now=NOW)
    _require_sequence(case, claimed, Record)
    claims = [record.claim for record in claimed]
    _require_sequence(case, backend.extend(claims[:1], lease=2 * LEASE, now=NOW), Hold)
    _require_sequence(case, backend.report_progress([ProgressReport(claims[0], 0.5)], now=NOW), bool)
    _require_sequence(case, backend.settle([Complete(claims[0], b"r")], now=NOW), bool)
    _require_sequence(case, backend.rescue(limit=1, now=NOW + LEASE), Record)
    _require_sequence(case, backend.cancel(Filter(ids=ids), limit=9, now=NOW), UUID)
    _require_sequence(case, backend.list(Filter(), limit=9), Record)
    got = backend.get(ids)
    case.that(isinstance(got, dict) and set(map(type, got)) == {UUID}, "a dict of records by id", got)
    _require_sequence(case, list(got.values()), Record)
    _require_stats(case, backend.stats(now=NOW))
    _require_sequence(case, backend.requeue(Filter(), limit=1, now=NOW), UUID)
    _require_sequence(case, backend.delete(Filter(), limit=1), UUID)
    _require_sequence(case, [backend.purge(sorted(FINAL), before=NOW + LEASE, limit=1)], int)
    _require_sequence(case, [backend.purge(sorted(FINAL), before=NOW - LEASE, limit=1)], int)
    _require_sequence(case, backend.queues(), Queue)
    _require_sequence(case, [backend.wait([name], timeout=timedelta(0)) for name in ("default", "unknown")], bool)


def _require_stats(case: Case, stats: Stats) -> None:
    case.that(type(stats) is Stats, "Stats", stats)
    counts = (stats.by_state, stats.by_kind, stats.by_queue)
    case.that(all(isinstance(count, Mapping) for count in counts), "counts by state, by kind and by queue", stats)
    case.that(set(map(type, stats.by_state)) == {State}, "counts by State", stats)
    _require_sequence(case, [stats.total, *stats.by_state.values(), *stats.by_kind.values()], int)
    _require_sequence(case, list(stats.by_queue.values()), QueueStats)


def _require_sequence(case: Case, answer: object, kind: type) -> None:
    ok = isinstance(answer, Sequence) and len(answer) > 0 and all(type(item) is kind for item in answer)
    case.that(ok, f"a sequence of {kind.__name__}", answer)
    if isinstance(answer, Sequence):
        wrong = [flaw for item in answer if isinstance(item, Record) for flaw in flaws(item)]
        case.that(not wrong, "fields of their declared types, datetimes in UTC", wrong)

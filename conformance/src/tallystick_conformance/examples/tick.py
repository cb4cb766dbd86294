"""Schedules: their values, their names, and the jobs of their ticks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Advance, Filter, NewRecord, NewSchedule, Schedule, State

from ..contract.registers import id_of
from ..harness.case import NOW, Case, example
from .common import LEAST, ODD_TICKS
from .name import HOSTILE, SIMILAR
from .payload import BYTES

_MINUTE = timedelta(minutes=1)
_TICK = NOW.replace(second=0)


def schedule(name: str = "s", **fields: Any) -> NewSchedule:
    """Return a schedule that fires each minute, first at the start of the minute of `NOW`."""
    return NewSchedule(**{"name": name, "rule": "every 1 minute", "kind": "k", "after": _TICK - _MINUTE, **fields})


def fire(of: Schedule, *ticks: datetime, **fields: Any) -> Advance:
    """Return an advance that fires ticks, the last of them a minute before the next tick."""
    following = (ticks[-1] if ticks else _TICK) + _MINUTE
    return Advance(**{"name": of.name, "revision": of.revision, "next_tick": following, "ticks": ticks, **fields})


@example("TICK-11")
def schedules_are_kept(case: Case) -> None:
    """put_schedules, schedules and due_schedules return each field unchanged, and so do the jobs of the ticks."""
    start, end = datetime(2031, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    new = schedule(
        "n" * 200,
        rule="*/5 3-4 * * mon-fri",
        kind="kind %s $1",
        payload=bytes(range(256)),
        queue="queue '; --",
        priority=-7,
        max_attempts=3,
        tags=("z", "a"),
        meta={"k": "\x00\ud800"},
        unique_key="key",
        zone="Europe/Berlin",
        start=start,
        end=end,
        missed="all",
        window=timedelta(days=3),
        declared="d" * 64,
        after=NOW,
    )
    [stored] = case.backend.put_schedules([new], now=NOW)
    for name in ("rule", "kind", "payload", "queue", "priority", "max_attempts", "tags", "meta", "unique_key", "zone",
                 "start", "end", "missed", "window", "declared", "next_tick"):  # fmt: skip
        case.equal(getattr(new, name), getattr(stored, name))
    case.equal((None, False, 1, NOW, NOW), stored[-5:])
    case.equal([stored], list(case.backend.schedules()))
    case.equal([stored], list(case.backend.due_schedules(limit=9)))
    case.equal([True], list(case.backend.advance([fire(stored, _TICK)], now=NOW)))
    job = case.only(case.backend.list(Filter(), limit=9))
    expected = (id_of(new.name, _TICK), new.kind, new.queue, new.payload, -7, State.PENDING, 0, 3, _TICK, NOW, NOW)
    case.equal(expected, job[:11])
    case.equal(("key", "finished", ("z", "a", f"schedule:{new.name}")), (job.unique_key, job.unique_until, job.tags))
    case.equal(new.meta, job.meta)


@example("TICK-11")
def payloads_of_schedules_are_kept(case: Case) -> None:
    """A schedule keeps a payload of any bytes, and so does its job."""
    payloads = [payload for payload in BYTES if len(payload) <= case.capabilities.max_payload_bytes]
    new = [schedule(f"s{n:02}", payload=payload) for n, payload in enumerate(payloads)]
    stored = case.backend.put_schedules(new, now=NOW)
    case.backend.advance([fire(each, _TICK) for each in stored], now=NOW)
    jobs = case.backend.get([id_of(each.name, _TICK) for each in new])
    for each in new:
        case.equal(each.payload, jobs[id_of(each.name, _TICK)].payload)


@example("TICK-04")
def names_of_schedules_are_exact(case: Case) -> None:
    """Schedules with similar names, or names with query syntax, are different, and sorted as code points."""
    names = [name for name in (*SIMILAR, *HOSTILE) if len(name) <= 200]
    case.backend.put_schedules([schedule(name) for name in names], now=NOW)
    case.equal(sorted(names), [each.name for each in case.backend.schedules()])
    case.equal(sorted(names), [each.name for each in case.backend.due_schedules(limit=1_000)])
    for name in names:
        case.equal([name], [each.name for each in case.backend.schedules([name, "unknown"])])
    case.equal(sorted(names[:5]), list(case.backend.remove_schedules(names[:5])))
    case.equal(sorted(names[5:]), [each.name for each in case.backend.schedules()])


@example("TICK-01")
def schedules_are_returned_in_order(case: Case) -> None:
    """put_schedules returns new and stored schedules in the order given."""
    case.backend.put_schedules([schedule("b")], now=NOW)
    stored = case.backend.put_schedules([schedule("c"), schedule("a"), schedule("b")], now=NOW)
    case.equal(["c", "a", "b"], [each.name for each in stored])
    case.equal([1, 1, 1], [each.revision for each in stored])


@example("TICK-02")
def an_equal_put_changes_nothing(case: Case) -> None:
    """A put with an equal definition leaves the schedule as it is, also with another `after`, and after an advance."""
    [first] = case.backend.put_schedules([schedule()], now=NOW)
    case.equal([first], list(case.backend.put_schedules([schedule(after=NOW + 5 * _MINUTE)], now=NOW + _MINUTE)))
    case.backend.advance([fire(first, _TICK)], now=NOW)
    [moved] = case.backend.schedules()
    case.equal([moved], list(case.backend.put_schedules([schedule()], now=NOW + _MINUTE)))


@example("TICK-02")
def the_same_declaration_changes_nothing(case: Case) -> None:
    """A put with the same `declared` keeps a schedule, and one with another or none replaces it."""
    [first] = case.backend.put_schedules([schedule(declared="a")], now=NOW)
    case.equal([first], list(case.backend.put_schedules([schedule(declared="a", kind="other")], now=NOW)))
    for revision, declared in ((2, "b"), (3, None), (4, "a")):
        [changed] = case.backend.put_schedules([schedule(declared=declared, kind=f"k{revision}")], now=NOW)
        case.equal((revision, declared, f"k{revision}"), (changed.revision, changed.declared, changed.kind))


@example("TICK-03")
def a_put_keeps_the_state(case: Case) -> None:
    """A put of another definition keeps last_tick, paused and created_at; only a new rule moves next_tick."""
    [first] = case.backend.put_schedules([schedule()], now=NOW)
    case.backend.advance([fire(first, _TICK, paused=True)], now=NOW)
    later = NOW + 9 * _MINUTE
    [other] = case.backend.put_schedules([schedule(kind="other", after=later)], now=later)
    case.equal((_TICK + _MINUTE, _TICK, True, 3, NOW, later), other[-6:])
    rules: tuple[dict[str, Any], ...] = (
        {"rule": "every 2 minutes"},
        {"start": _TICK + timedelta(days=1)},
        {"rule": "0 * * * *", "zone": "Asia/Tokyo"},
        {"rule": "0 * * * *", "end": NOW + timedelta(days=9)},
    )
    for n, fields in enumerate(rules):
        new = schedule(after=later, **fields)
        [changed] = case.backend.put_schedules([new], now=later)
        case.equal((new.next_tick, _TICK, True, 4 + n, NOW, later), changed[-6:])


@example("TICK-12")
def a_schedule_moves_with_its_state(case: Case) -> None:
    """A new schedule begins with last_tick, paused and created_at. Its last tick does not fire again."""
    begun: dict[str, Any] = {"last_tick": _TICK, "created_at": NOW - timedelta(days=1), "after": _TICK}
    new = [schedule(**begun), schedule("t", paused=True, **begun)]
    active, paused = case.backend.put_schedules(new, now=NOW)
    for stored in (active, paused):
        case.equal((_TICK + _MINUTE, _TICK, stored is paused, 1, begun["created_at"], NOW), stored[-6:])
    case.equal([active, paused], list(case.backend.schedules()))
    case.equal([active], list(case.backend.due_schedules(limit=9)))
    later = NOW + _MINUTE
    case.equal(
        [False, True], list(case.backend.advance([fire(active, _TICK), fire(active, _TICK + _MINUTE)], now=later))
    )
    case.equal([id_of("s", _TICK + _MINUTE)], [record.id for record in case.backend.list(Filter(), limit=9)])


@example("TICK-12")
def a_stored_schedule_keeps_its_own_state(case: Case) -> None:
    """A put of a stored name ignores last_tick, paused and created_at."""
    [first] = case.backend.put_schedules([schedule()], now=NOW)
    other: dict[str, Any] = {"last_tick": _TICK, "paused": True, "created_at": NOW - _MINUTE}
    case.equal([first], list(case.backend.put_schedules([schedule(**other)], now=NOW)))
    later = NOW + _MINUTE
    [changed] = case.backend.put_schedules([schedule(kind="other", **other)], now=later)
    case.equal((_TICK, None, False, 2, NOW, later), changed[-6:])


@example("TICK-12")
def times_of_other_stores_are_rounded(case: Case) -> None:
    """last_tick and created_at are rounded down to time_precision."""
    precision = case.capabilities.time_precision
    for n, odd in enumerate((ODD_TICKS * precision, ODD_TICKS * precision + LEAST, 999_999 * LEAST)):
        new = schedule(f"s{n}", last_tick=NOW + odd, created_at=NOW + odd)
        [stored] = case.backend.put_schedules([new], now=NOW)
        case.equal([stored], list(case.backend.schedules([new.name])))
        case.equal([NOW + odd - odd % precision] * 2, [stored.last_tick, stored.created_at])


@example("TICK-06")
def a_tick_fires_once_for_good(case: Case) -> None:
    """A tick inserts no job if its id is stored, also as a final job, or if its unique key is held."""
    kept = NewRecord(kind="kept", id=id_of("s", _TICK))
    case.insert(kept, NewRecord(kind="holder", unique_key="key"))
    first, second = case.backend.put_schedules([schedule(), schedule("t", unique_key="key", queue="t")], now=NOW)
    case.equal([True, True], list(case.backend.advance([fire(first, _TICK), fire(second, _TICK)], now=NOW)))
    case.equal({"kept", "holder"}, {record.kind for record in case.backend.list(Filter(), limit=9)})
    case.equal([_TICK, _TICK], [each.last_tick for each in case.backend.schedules()])


@example("TICK-06")
def jobs_of_a_batch_exclude_each_other(case: Case) -> None:
    """Of several ticks with one unique key, the first inserts its job."""
    [one] = case.backend.put_schedules([schedule(unique_key="key", after=_TICK - 9 * _MINUTE)], now=NOW)
    ticks = [_TICK - n * _MINUTE for n in (2, 1, 0)]
    case.equal([True], list(case.backend.advance([fire(one, *ticks)], now=NOW)))
    case.equal([id_of("s", ticks[0])], [record.id for record in case.backend.list(Filter(), limit=9)])


@example("TICK-06")
def many_ticks_fire_at_once(case: Case) -> None:
    """An advance with a thousand ticks, or with as many as a batch may have, inserts each job."""
    size = min(1_000, case.capabilities.max_batch)
    [one] = case.backend.put_schedules([schedule(after=_TICK - (size + 1) * _MINUTE)], now=NOW)
    ticks = [_TICK - n * _MINUTE for n in reversed(range(size))]
    case.equal([True], list(case.backend.advance([fire(one, *ticks)], now=NOW)))
    case.equal({id_of("s", tick) for tick in ticks}, {r.id for r in case.backend.list(Filter(), limit=size + 1)})


@example("TICK-07")
def wrong_advances_are_rejected(case: Case) -> None:
    """An advance of an unknown or removed schedule, or with a stale revision, is rejected, and so is a future tick."""
    first, second = case.backend.put_schedules([schedule(), schedule("t")], now=NOW)
    stale = [fire(first._replace(revision=9), _TICK), fire(first._replace(name="unknown"), _TICK)]
    future = fire(first, _TICK, NOW + case.capabilities.time_precision, next_tick=NOW + 9 * _MINUTE)
    case.equal([False] * 3, list(case.backend.advance([*stale, future], now=NOW)))
    case.equal([True], list(case.backend.advance([fire(second, paused=True)], now=NOW)))
    [paused] = case.backend.schedules(["t"])
    case.equal([False], list(case.backend.advance([fire(paused, _TICK)], now=NOW)))
    case.equal([True], list(case.backend.advance([fire(first, _TICK)], now=_TICK)))
    [fired] = case.backend.schedules(["s"])
    again = [fire(fired, _TICK), fire(fired, _TICK - _MINUTE, next_tick=NOW + _MINUTE)]
    case.equal([False, False], list(case.backend.advance(again, now=NOW)))
    case.backend.remove_schedules(["s"])
    case.equal([False], list(case.backend.advance([fire(fired, _TICK + _MINUTE)], now=NOW + _MINUTE)))
    case.equal(1, case.backend.count(Filter()))
    case.equal([paused], list(case.backend.schedules()))


@example("TICK-08")
def only_a_pause_updates(case: Case) -> None:
    """An advance changes updated_at only if it pauses or resumes; without ticks, last_tick stays."""
    [first] = case.backend.put_schedules([schedule()], now=NOW)
    later = NOW + _MINUTE
    case.backend.advance([fire(first, _TICK, _TICK + _MINUTE, next_tick=None)], now=later)
    [ended] = case.backend.schedules()
    case.equal((None, _TICK + _MINUTE, False, 2, NOW, NOW), ended[-6:])
    case.equal([], list(case.backend.due_schedules(limit=9)))
    case.backend.advance([fire(ended, paused=True)], now=later)
    [paused] = case.backend.schedules()
    case.equal((_TICK + _MINUTE, _TICK + _MINUTE, True, 3, NOW, later), paused[-6:])
    case.equal([], list(case.backend.due_schedules(limit=9)))
    case.backend.advance([fire(paused)], now=later + _MINUTE)
    [resumed] = case.backend.schedules()
    case.equal((_TICK + _MINUTE, _TICK + _MINUTE, False, 4, NOW, later + _MINUTE), resumed[-6:])
    case.equal([resumed], list(case.backend.due_schedules(limit=9)))


@example("TICK-09")
def each_advance_is_on_its_own(case: Case) -> None:
    """A rejected advance does not affect the others of its batch, and of two equal ones the first applies."""
    names = [f"s{n}" for n in range(4)]
    stored = case.backend.put_schedules([schedule(name) for name in names], now=NOW)
    advances = [fire(each, _TICK) for each in stored]
    advances[1] = fire(stored[1]._replace(revision=7), _TICK)
    advances.insert(3, advances[2])
    case.equal([True, False, True, False, True], list(case.backend.advance(advances, now=NOW)))
    expected = {id_of(name, _TICK) for name in ("s0", "s2", "s3")}
    case.equal(expected, {record.id for record in case.backend.list(Filter(), limit=9)})
    case.equal([2, 1, 2, 2], [each.revision for each in case.backend.schedules()])


@example("TICK-05")
def schedules_fire_in_order(case: Case) -> None:
    """due_schedules sorts by next_tick, then name, whatever the clock is, and returns at most `limit`."""
    afters = {"b": 3, "a": 3, "B": 3, "z": 0, "y": 100_000}
    new = [schedule(name, after=_TICK + minutes * _MINUTE) for name, minutes in afters.items()]
    case.backend.put_schedules(new, now=NOW)
    expected = ["z", "B", "a", "b", "y"]
    for limit in (1, 2, 4, 5, 100):
        case.equal(expected[:limit], [each.name for each in case.backend.due_schedules(limit=limit)])

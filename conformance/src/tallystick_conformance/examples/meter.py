"""Meters: numbers by minute, queue and kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import MeterDelta

from ..harness.case import NOW, Case, example
from .name import HOSTILE, SIMILAR

MINUTE = timedelta(minutes=1)
START = NOW.replace(second=0)
_WEEK = timedelta(days=7)
_ZERO = timedelta(0)


def delta(minutes: int = 0, **fields: Any) -> MeterDelta:
    """Return numbers of a minute, counted from that of `NOW`."""
    return MeterDelta(**{"minute": START + minutes * MINUTE, "queue": "q", "kind": "k", **fields})


@example("METER-03")
def large_numbers_are_kept(case: Case) -> None:
    """Counts up to 2**31 - 1, and sums of 36,500 days, add up without loss."""
    most, longest, least = 2**31 - 1, timedelta(days=36_500), timedelta(microseconds=1)
    counts = dict.fromkeys(("completed", "retried", "discarded", "released", "cancelled"), most)
    case.backend.meter([delta(**counts, waiting=longest, running=least)], now=NOW)
    case.backend.meter([delta(**counts, waiting=longest, running=least)], now=NOW)
    [found] = case.backend.meters(START, START + MINUTE, step=MINUTE)
    case.equal((START, "q", "k", *[2 * most] * 5, 2 * longest, 2 * least), tuple(found))


@example("METER-03")
def names_of_meters_are_exact(case: Case) -> None:
    """Queues and kinds with similar names, or names with query syntax, have their own numbers."""
    names = [*SIMILAR, *HOSTILE]
    case.backend.meter([delta(queue=name, kind="k", completed=n + 1) for n, name in enumerate(names)], now=NOW)
    case.backend.meter([delta(queue="q", kind=name, retried=n + 1) for n, name in enumerate(names)], now=NOW)
    found = case.backend.meters(START, START + MINUTE, step=MINUTE)
    case.equal({name: n + 1 for n, name in enumerate(names)}, {m.queue: m.completed for m in found if m.queue != "q"})
    case.equal({name: n + 1 for n, name in enumerate(names)}, {m.kind: m.retried for m in found if m.queue == "q"})
    case.equal(sorted((m.queue, m.kind) for m in found), [(m.queue, m.kind) for m in found])


@example("METER-01")
def a_range_has_its_start(case: Case) -> None:
    """Meters includes the minute at `since`, and excludes the one at `until`."""
    case.backend.meter([delta(n, completed=1) for n in range(-3, 3)], now=NOW)
    for since, until, minutes in ((-1, 1, [-1, 0]), (0, 0, []), (0, 1, [0]), (3, 9, []), (-9, -2, [-3])):
        found = case.backend.meters(START + since * MINUTE, START + until * MINUTE, step=MINUTE)
        case.equal([START + n * MINUTE for n in minutes], [meter.since for meter in found])
    inside = case.backend.meters(START + MINUTE / 2, START + MINUTE, step=MINUTE)
    case.equal([], list(inside))


@example("METER-01")
def a_batch_may_repeat_a_key(case: Case) -> None:
    """Two deltas of one minute, queue and kind in one batch both count."""
    case.backend.meter([delta(completed=1), delta(retried=2, completed=3)], now=NOW)
    [found] = case.backend.meters(START, START + MINUTE, step=MINUTE)
    case.equal((4, 2), (found.completed, found.retried))


@example("METER-02")
def a_week_is_kept(case: Case) -> None:
    """A minute that began seven days ago is kept, and an older one is dropped or removed."""
    week = int(_WEEK / MINUTE)
    case.backend.meter([delta(-week, completed=1), delta(-week - 1, completed=2)], now=START)
    whole = START - _WEEK - 9 * MINUTE, START + 9 * MINUTE
    case.equal([1], [meter.completed for meter in case.backend.meters(*whole, step=10 * MINUTE)])
    case.backend.meter([], now=START)
    case.equal([1], [meter.completed for meter in case.backend.meters(*whole, step=10 * MINUTE)])
    case.backend.meter([delta(completed=3)], now=START + case.capabilities.time_precision)
    case.equal([3], [meter.completed for meter in case.backend.meters(*whole, step=10 * MINUTE)])


@example("METER-04")
def steps_are_aligned(case: Case) -> None:
    """Steps begin at multiples of the step since 1970, in any range, and are sorted by start, queue and kind."""
    for queue, kind in (("b", "x"), ("a", "y"), ("a", "x"), ("B", "x")):
        case.backend.meter(
            [delta(n, queue=queue, kind=kind, completed=1, waiting=MINUTE) for n in range(-8, 1)], now=NOW
        )
    for minutes in (1, 2, 5, 7, 60, 60 * 24, 60 * 24 * 7):
        step = minutes * MINUTE
        expected: dict[tuple[datetime, str, str], int] = {}
        for n in range(-7, 1):
            minute = START + n * MINUTE
            begun = minute - (minute - datetime(1970, 1, 1, tzinfo=UTC)) % step
            for queue, kind in (("B", "x"), ("a", "x"), ("a", "y"), ("b", "x")):
                expected[begun, queue, kind] = expected.get((begun, queue, kind), 0) + 1
        found = case.backend.meters(START - 7 * MINUTE, START + MINUTE, step=step)
        case.equal(sorted(expected), [meter[:3] for meter in found])
        case.equal(list(map(expected.__getitem__, sorted(expected))), [meter.completed for meter in found])
        case.equal([n * MINUTE for n in (meter.completed for meter in found)], [meter.waiting for meter in found])
        case.that(all(meter.running == _ZERO for meter in found), "no time running", found)

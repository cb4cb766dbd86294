"""Invalid arguments are rejected before a call changes anything."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from tallystick import (
    Changes,
    Claim,
    Complete,
    Filter,
    Hold,
    InvalidArgument,
    NewRecord,
    PayloadTooLarge,
    ProgressReport,
    State,
)

from ..harness.case import LEASE, NOW, Case, example
from .beat import beat
from .meter import MINUTE, START, delta
from .tick import fire, schedule


@example("REFUSE-01")
def limits_below_one_are_rejected(case: Case) -> None:
    """Each call with a limit rejects zero and negative limits."""
    case.running()
    case.insert(NewRecord(kind="k"))
    backend = case.backend
    calls: tuple[Callable[..., object], ...] = (
        partial(backend.claim, ["default"], worker="w", lease=LEASE, now=NOW),
        partial(backend.rescue, now=NOW + 2 * LEASE),
        partial(backend.list, Filter()),
        partial(backend.cancel, Filter(), now=NOW),
        partial(backend.requeue, Filter(), now=NOW),
        partial(backend.delete, Filter()),
        partial(backend.update, Filter(), Changes(priority=1), now=NOW),
        partial(backend.due_schedules),
        partial(backend.purge, [State.COMPLETED], before=NOW),
    )
    for call in calls:
        case.refuses(InvalidArgument, partial(call, limit=0))
        case.refuses(InvalidArgument, partial(call, limit=-1))


@example("REFUSE-02")
def leases_of_zero_are_rejected(case: Case) -> None:
    """Claim and extend reject a lease of zero or less."""
    claim = case.running().claim
    case.insert(NewRecord(kind="k"))
    for lease in (timedelta(0), timedelta(microseconds=-1)):
        case.refuses(InvalidArgument, partial(case.backend.extend, [claim], lease=lease, now=NOW))
        case.refuses(
            InvalidArgument, partial(case.backend.claim, ["default"], limit=1, worker="w", lease=lease, now=NOW)
        )


@example("REFUSE-03")
def purging_unfinished_jobs_is_rejected(case: Case) -> None:
    """`purge` rejects states that are not final, alone or together with final ones."""
    case.running()
    case.insert(NewRecord(kind="k"))
    for state in (State.PENDING, State.RUNNING, State.RETRYING):
        for states in ([state], [State.COMPLETED, state]):
            case.refuses(InvalidArgument, partial(case.backend.purge, states, before=NOW + LEASE, limit=9))


@example("REFUSE-04")
def bad_names_are_rejected(case: Case) -> None:
    """claim, pause, resume and wait reject empty, too long and unprintable names. claim rejects a bare string."""
    case.insert(NewRecord(kind="k"))
    backend = case.backend
    claim = partial(backend.claim, limit=1, lease=LEASE, now=NOW)
    for name in ("", "n" * 256, "a\x00", "a\n", "\ud800"):
        calls: tuple[Callable[[], object], ...] = (
            partial(claim, ["default"], worker=name),
            partial(claim, ["default", name], worker="w"),
            partial(backend.pause, name),
            partial(backend.resume, name),
            partial(backend.wait, [name], timeout=timedelta(0)),
        )
        for call in calls:
            case.refuses(InvalidArgument, call)
    case.refuses(InvalidArgument, partial(claim, "default", worker="w"))


@example("REFUSE-05")
def values_that_are_no_batch_are_rejected(case: Case) -> None:
    """Each call with a batch rejects a bare string, a single item, and a batch with an item of another type."""
    running = case.running()
    backend, claim = case.backend, running.claim
    new, ended = NewRecord(kind="k"), Complete(claim)
    calls: tuple[tuple[Callable[[Any], object], Any], ...] = (
        (partial(backend.insert, now=NOW), new),
        (partial(backend.extend, lease=LEASE, now=NOW), claim),
        (partial(backend.report_progress, now=NOW), ProgressReport(claim)),
        (partial(backend.settle, now=NOW), ended),
        (partial(backend.restore, now=NOW), running),
        (backend.get, claim.id),
        (partial(backend.claim, limit=1, worker="w", lease=LEASE, now=NOW), "default"),
        (partial(backend.wait, timeout=timedelta(0)), "default"),
        (partial(backend.purge, before=NOW + LEASE, limit=9), State.COMPLETED),
        (partial(backend.put_schedules, now=NOW), schedule()),
        (partial(backend.advance, now=NOW), fire(case.backend.put_schedules([schedule()], now=NOW)[0], START)),
        (partial(backend.meter, now=NOW), delta()),
        (backend.remove_schedules, "s"),
    )
    for call, item in calls:
        for wrong in (item, [item, 7], "", b"", {"default": item}, None, 7):
            case.refuses(InvalidArgument, partial(call, wrong))
    for single in (claim.id, str(claim.id), None):
        wrong_filter: Any = single
        case.refuses(InvalidArgument, partial(backend.list, wrong_filter, limit=9))
        case.refuses(InvalidArgument, partial(backend.delete, wrong_filter, limit=9))
        case.refuses(InvalidArgument, partial(backend.count, wrong_filter))


@example("REFUSE-06")
def attempts_out_of_range_are_rejected(case: Case) -> None:
    """`extend` rejects an attempt below 0 or above 2**63 - 1. It returns LOST for the highest valid attempt."""
    claim = case.running().claim
    for attempt in (-1, 2**63, 2**70):
        claims = [claim, Claim(claim.id, attempt)]
        case.refuses(InvalidArgument, partial(case.backend.extend, claims, lease=LEASE, now=NOW))
    highest = Claim(claim.id, 2**63 - 1)
    case.equal([Hold.LOST], list(case.backend.extend([highest], lease=LEASE, now=NOW)))
    case.equal([False], list(case.backend.settle([Complete(highest)], now=NOW)))


@example("REFUSE-07")
def positions_that_do_not_fit_are_rejected(case: Case) -> None:
    """List rejects an unknown order, and a position of another order. count rejects at_most outside its range."""
    record = case.running()
    backend: Any = case.backend
    pages = (
        ("id", (NOW, record.id)),
        ("run_at", record.id),
        ("finished_at", record.id),
        ("priority", None),
        (None, None),
        ("run_at", (NOW.replace(tzinfo=None), record.id)),
        ("run_at", (record.id, NOW)),
    )
    for order, after in pages:
        case.refuses(InvalidArgument, partial(backend.list, Filter(), limit=9, order=order, after=after))
    for at_most in (0, -1, 1_000_001, 1.5, None):
        case.refuses(InvalidArgument, partial(backend.count, Filter(), at_most=at_most))
    for changes in (None, {"priority": 1}, 7):
        case.refuses(InvalidArgument, partial(backend.update, Filter(), changes, limit=9, now=NOW))


@example("REFUSE-08")
def schedules_are_rejected_whole(case: Case) -> None:
    """put_schedules rejects two schedules with one name, or one with a payload of a byte too many, with all others."""
    too_large = b"x" * (case.capabilities.max_payload_bytes + 1)
    put = partial(case.backend.put_schedules, now=NOW)
    case.refuses(InvalidArgument, partial(put, [schedule("a"), schedule("s"), schedule("s", kind="other")]))
    case.refuses(PayloadTooLarge, partial(put, [schedule("a"), schedule("s", payload=too_large)]))
    case.refuses(InvalidArgument, partial(put, [schedule("a"), "s"]))
    case.refuses(InvalidArgument, partial(put, [schedule("a")], now=NOW.replace(tzinfo=None)))


@example("REFUSE-09")
def workers_and_meters_are_rejected(case: Case) -> None:
    """Beat rejects a ttl below zero or above a day, meter a minute in the future, and meters a wrong range or step."""
    backend, least = case.backend, timedelta(microseconds=1)
    backend.beat(beat("known"), ttl=MINUTE, now=NOW)
    for ttl in (-least, timedelta(days=1) + least):
        case.refuses(InvalidArgument, partial(backend.beat, beat("w"), ttl=ttl, now=NOW))
    backend.meter([delta(completed=1), delta(5, completed=1)], now=START)
    ahead = [delta(completed=1), delta(6, completed=1)]
    case.refuses(InvalidArgument, partial(backend.meter, ahead, now=START))
    ranges = ((START, START - least, MINUTE), (START, START + MINUTE, timedelta(seconds=90)),
              (START, START + MINUTE, timedelta(0)), (START, START + 10_081 * MINUTE, MINUTE))  # fmt: skip
    for since, until, step in ranges:
        case.refuses(InvalidArgument, partial(backend.meters, since, until, step=step))
    case.equal(2, len(backend.meters(START, START + 10_080 * MINUTE, step=MINUTE)))

"""Values that no store accepts are refused before anything is done."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from tallystick import Filter, InvalidArgument, NewRecord, State

from ..case import LEASE, NOW, Case, example


@example("REFUSE-01")
def limits_below_one_are_refused(case: Case) -> None:
    """Each call with a limit refuses zero and less."""
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
        partial(backend.purge, [State.COMPLETED], before=NOW),
    )
    for call in calls:
        case.refuses(InvalidArgument, partial(call, limit=0))
        case.refuses(InvalidArgument, partial(call, limit=-1))


@example("REFUSE-02")
def leases_of_nothing_are_refused(case: Case) -> None:
    """Claim and extend refuse a lease of zero and less."""
    claim = case.running().claim
    case.insert(NewRecord(kind="k"))
    for lease in (timedelta(0), timedelta(microseconds=-1)):
        case.refuses(InvalidArgument, partial(case.backend.extend, [claim], lease=lease, now=NOW))
        case.refuses(
            InvalidArgument, partial(case.backend.claim, ["default"], limit=1, worker="w", lease=lease, now=NOW)
        )


@example("REFUSE-03")
def purging_what_lives_is_refused(case: Case) -> None:
    """Purge refuses states that are not final, alone or beside final ones."""
    case.running()
    case.insert(NewRecord(kind="k"))
    for state in (State.PENDING, State.RUNNING, State.RETRYING):
        for states in ([state], [State.COMPLETED, state]):
            case.refuses(InvalidArgument, partial(case.backend.purge, states, before=NOW + LEASE, limit=9))


@example("REFUSE-04")
def bad_names_are_refused(case: Case) -> None:
    """claim, pause, resume and wait refuse names that are empty, too long or not printable, and a bare string."""
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

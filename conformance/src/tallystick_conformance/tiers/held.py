"""What an open client holds while nobody uses it: nothing that others must wait for, and nothing that runs out."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

from tallystick import (
    Backend,
    Claim,
    Complete,
    Filter,
    InvalidArgument,
    NewRecord,
    NotSetUp,
    State,
    TallystickError,
)

from ..case import LEASE, NOW, Case, example
from ..threads import Beside

_SOON = 8.0
"""Seconds: well over what tearing a store down takes, and under the time limits that stores have on a call."""

_TIMES = 12


@example("LEAK-04")
def idle_clients_hold_nothing(case: Case) -> None:
    """After polls that found nothing, and with the client open, another tears the store down and sets it up again."""
    client = case.client()
    polls: tuple[Callable[[], object], ...] = (
        lambda: client.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW),
        lambda: client.rescue(limit=1, now=NOW),
        lambda: client.get([]),
        lambda: client.list(Filter(), limit=1),
        lambda: client.stats(now=NOW),
        lambda: client.cancel(Filter(), limit=1, now=NOW),
        lambda: client.purge([State.COMPLETED], before=NOW, limit=1),
        lambda: client.wait(["default"], timeout=timedelta(0)),
    )
    _each_holds_nothing(case, client, polls)


@example("LEAK-04")
def refused_calls_hold_nothing(case: Case) -> None:
    """So it is after calls that were refused, for their batch, their sizes or their times."""
    client, too_large = case.client(), b"x" * (case.capabilities.max_payload_bytes + 1)
    claim, ever = Claim(UUID(int=1), 1), timedelta(days=366 * 9_000)
    refused: tuple[Callable[[], object], ...] = (
        lambda: client.insert([NewRecord(kind="k", payload=too_large)], now=NOW),
        lambda: client.settle([Complete(claim, too_large)], now=NOW),
        lambda: client.extend([claim], lease=ever, now=NOW),
        lambda: client.list(Filter(), limit=0),
        lambda: client.delete(Filter(), limit=0),
    )
    _each_holds_nothing(case, client, [partial(case.refuses, InvalidArgument, call) for call in refused])


def _each_holds_nothing(case: Case, client: Backend, calls: Sequence[Callable[[], object]]) -> None:
    """Require that after each call of a client, which stays open, another tears the store down and sets it up again."""
    other = case.client()
    for call in calls:
        call()
        removal = Beside(other.teardown)
        try:
            removal.answer(_SOON)
        except TimeoutError as late:
            client.close()  # so that it ends, and what comes after can be removed
            with suppress(TallystickError):
                removal.answer()
            case.that(False, f"a teardown within {_SOON:.0f} s", str(late))
        other.setup()


@example("LEAK-05")
def failures_use_up_nothing(case: Case) -> None:
    """A client whose calls failed while the store was not there, many times, works once it is set up."""
    client = case.client()
    client.stats(now=NOW)
    case.raw.teardown()
    for _ in range(_TIMES):
        try:
            client.list(Filter(), limit=1)
        except NotSetUp:
            continue
        except Exception as exc:
            case.that(False, "an answer, or NotSetUp", repr(exc))
    case.raw.setup()
    new = NewRecord(kind="k")
    try:
        client.insert([new], now=NOW)
    except Exception as exc:
        case.that(False, "a client that works on", repr(exc))
    case.equal([new.id], list(case.raw.get([new.id])))

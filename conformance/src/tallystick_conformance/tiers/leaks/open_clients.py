"""Resources that an idle open client holds: others need not wait for them, and failed calls do not use them up."""

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

from ...harness.case import LEASE, NOW, Case, example
from ...harness.threads import Beside

_SOON = 8.0
"""Seconds: well above what a teardown takes, and below the time limits that stores have on a call."""

_TIMES = 12


@example("LEAK-04")
def idle_clients_hold_nothing(case: Case) -> None:
    """An open client whose calls found nothing does not block a teardown and setup by another client."""
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
def rejected_calls_hold_nothing(case: Case) -> None:
    """An open client whose calls were rejected does not block a teardown and setup by another client."""
    client, too_large = case.client(), b"x" * (case.capabilities.max_payload_bytes + 1)
    claim, ever = Claim(UUID(int=1), 1), timedelta(days=366 * 9_000)
    rejected: tuple[Callable[[], object], ...] = (
        lambda: client.insert([NewRecord(kind="k", payload=too_large)], now=NOW),
        lambda: client.settle([Complete(claim, too_large)], now=NOW),
        lambda: client.extend([claim], lease=ever, now=NOW),
        lambda: client.list(Filter(), limit=0),
        lambda: client.delete(Filter(), limit=0),
    )
    _each_holds_nothing(case, client, [partial(case.refuses, InvalidArgument, call) for call in rejected])


def _each_holds_nothing(case: Case, client: Backend, calls: Sequence[Callable[[], object]]) -> None:
    """Require that after each call of an open client, another client can tear the store down and set it up again."""
    other = case.client()
    for call in calls:
        call()
        removal = Beside(other.teardown)
        try:
            removal.answer(_SOON)
        except TimeoutError as late:
            client.close()  # lets the teardown end, so that the store can be removed
            with suppress(TallystickError):
                removal.answer()
            case.that(False, f"a teardown within {_SOON:.0f} s", str(late))
        other.setup()


@example("LEAK-05")
def failures_use_up_nothing(case: Case) -> None:
    """A client whose calls failed many times while the store did not exist works after setup."""
    client = case.client()
    client.stats(now=NOW)
    case.raw.teardown()
    for _ in range(_TIMES):
        try:
            client.list(Filter(), limit=1)
        except NotSetUp:
            continue
        except Exception as exc:
            case.that(False, "a result or NotSetUp", repr(exc))
    case.raw.setup()
    new = NewRecord(kind="k")
    try:
        client.insert([new], now=NOW)
    except Exception as exc:
        case.that(False, "a client that works", repr(exc))
    case.equal([new.id], list(case.raw.get([new.id])))

"""Waits of a client after its network was cut: the client must listen again without being called."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from time import monotonic

from tallystick import Backend, NewRecord, OutcomeUnknown, Unavailable

from ...harness.case import Case, example
from ...harness.threads import Beside
from .network import through_proxy

_LONG = timedelta(seconds=20)
_SOON = 10.0
"""Seconds: well above the pause of a client between two attempts to connect, and well below `_LONG`."""

_TRIES = 3
_LOST = (Unavailable, OutcomeUnknown)


@example("FAULT-06")
def waits_after_a_cut(case: Case) -> None:
    """Another client's insert ends a wait that began before a network cut, and a wait that begins after it."""
    with through_proxy(case) as (proxy, client):
        _is_woken(case, client, "before", lambda: None)
        _is_woken(case, client, "during", proxy.cut)
        for _ in range(_TRIES):
            with suppress(*_LOST):
                client.queues()
        _is_woken(case, client, "after", lambda: None)


def _is_woken(case: Case, client: Backend, queue: str, interrupt: Callable[[], None]) -> None:
    began = monotonic()
    wait = Beside(lambda: (client.wait([queue], timeout=_LONG), monotonic() - began))
    try:
        early = wait.answer(0.3)
        case.that(False, "a wait that continues while nothing is due", early)
    except TimeoutError:
        interrupt()
    case.raw.insert([NewRecord(kind="k", queue=queue)])
    try:
        woken, seconds = wait.answer()
    except _LOST:  # makes the caller check for jobs, as True does
        woken, seconds = True, monotonic() - began
    case.that(woken and seconds < _SOON, f"True within {_SOON:.0f} s", f"{woken} after {seconds:.1f} s")

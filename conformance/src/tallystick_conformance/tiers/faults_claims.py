"""A claim on a connection that stands still between two of its requests: others do not wait for what it has taken."""

from contextlib import suppress
from threading import Event

from tallystick import Backend, NewRecord

from ..case import LEASE, NOW, Case, example
from ..gates.proxy import Link, Proxy, Traffic
from ..threads import Beside
from .faults import through_proxy

_SOON = 8.0
"""Seconds: well over what a claim takes, and under the time limits that stores have on a call."""

_JOBS = 4
_MOST = 10
"""Requests of one claim, at most."""


class Standing(Traffic):
    """Holds the n-th chunk that the client sends, and what comes after it, until it is let go."""

    def __init__(self, nth: int) -> None:
        self._left = nth
        self.held, self.let_go = Event(), Event()

    def asked(self, link: Link, chunk: bytes) -> None:
        """Forward, or hold."""
        self._left -= 1
        if self._left == 0:
            self.held.set()
            self.let_go.wait()
        link.ask(chunk)


@example("FAULT-07")
def claims_that_stand_still(case: Case) -> None:
    """Whichever of its requests a claim has come to, another claim is answered, with what is free."""
    with through_proxy(case) as (proxy, client):
        for nth in range(1, _MOST):
            if not _stands_still(case, proxy, client, nth):
                return


def _stands_still(case: Case, proxy: Proxy, client: Backend, nth: int) -> bool:
    """Hold the n-th request of a claim, and claim meanwhile; say whether it has as many."""
    queue = f"q{nth}"
    case.raw.insert([NewRecord(kind="k", queue=queue) for _ in range(_JOBS)], now=NOW)
    proxy.traffic = standing = Standing(nth)
    slow = Beside(lambda: client.claim([queue], limit=1, worker="slow", lease=LEASE, now=NOW))
    while not standing.held.wait(0.01):
        with suppress(TimeoutError):
            slow.answer(0)
            return False
    other = Beside(lambda: case.raw.claim([queue], limit=_JOBS, worker="other", lease=LEASE, now=NOW))
    try:
        free = other.answer(_SOON)
    except TimeoutError as late:
        case.that(False, f"an answer within {_SOON:.0f} s, while another claim stands still", str(late))
        raise
    finally:
        standing.let_go.set()
    case.that(len(free) >= _JOBS - 1, "every job that the other claim has not", free)
    taken = [record.id for record in [*slow.answer(), *free]]
    case.that(len(set(taken)) == len(taken), "each job for one of them", taken)
    return True

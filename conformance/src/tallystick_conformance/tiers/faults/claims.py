"""A claim that stalls between two of its requests: other claims do not wait for the jobs that it has taken."""

from contextlib import suppress
from threading import Event

from tallystick import Backend, NewRecord

from ...gates.proxy import Link, Proxy, Traffic
from ...harness.case import LEASE, NOW, Case, example
from ...harness.threads import Beside
from .network import through_proxy

_SOON = 8.0
"""Seconds: well above what a claim takes, and below the time limits that stores have on a call."""

_JOBS = 4
_MOST = 10
"""The maximum number of requests of one claim."""


class Stalling(Traffic):
    """Holds the n-th chunk from the client, and all later ones, until `released` is set."""

    def __init__(self, nth: int) -> None:
        self._left = nth
        self.held, self.released = Event(), Event()

    def asked(self, link: Link, chunk: bytes) -> None:
        """Forward the chunk, or hold it."""
        self._left -= 1
        if self._left == 0:
            self.held.set()
            self.released.wait()
        link.ask(chunk)


@example("FAULT-07")
def claims_that_stall(case: Case) -> None:
    """While a claim stalls at any of its requests, another claim returns the free jobs."""
    with through_proxy(case) as (proxy, client):
        for nth in range(1, _MOST):
            if not _has_request(case, proxy, client, nth):
                return


def _has_request(case: Case, proxy: Proxy, client: Backend, nth: int) -> bool:
    """Stall the n-th request of a claim during another claim. Return False if there is no n-th request."""
    queue = f"q{nth}"
    case.raw.insert([NewRecord(kind="k", queue=queue) for _ in range(_JOBS)], now=NOW)
    proxy.traffic = stalling = Stalling(nth)
    slow = Beside(lambda: client.claim([queue], limit=1, worker="slow", lease=LEASE, now=NOW))
    while not stalling.held.wait(0.01):
        with suppress(TimeoutError):
            slow.answer(0)
            return False
    other = Beside(lambda: case.raw.claim([queue], limit=_JOBS, worker="other", lease=LEASE, now=NOW))
    try:
        free = other.answer(_SOON)
    except TimeoutError as late:
        case.that(False, f"a result within {_SOON:.0f} s while another claim stalls", str(late))
        raise
    finally:
        stalling.released.set()
    case.that(len(free) >= _JOBS - 1, "every job that the stalled claim has not taken", free)
    taken = [record.id for record in [*slow.answer(), *free]]
    case.that(len(set(taken)) == len(taken), "each job claimed once", taken)
    return True

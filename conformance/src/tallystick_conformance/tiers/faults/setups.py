"""A setup that stalls between two of its requests while another setup begins, on a store that is reached over TCP."""

from contextlib import suppress

from tallystick import Backend, NewRecord

from ...gates.chunks import server_of
from ...gates.proxy import Proxy
from ...harness.case import NOW, Case, example
from ...harness.threads import Beside
from .claims import Stalling
from .network import through_proxy

_A_WHILE = 0.1
"""Seconds after which a setup without a result is assumed to wait for the stalled one."""

_MOST = 20
"""The maximum number of requests of one setup."""


@example("SETUP-05")
def setups_meet(case: Case) -> None:
    """Two setups succeed and the store works, whichever request of the first stalls while the second begins."""
    if server_of(case.target.url) is None:
        return
    with through_proxy(case) as (proxy, client):
        for nth in range(1, _MOST):
            if not _has_request(case, proxy, client, nth):
                return


def _has_request(case: Case, proxy: Proxy, client: Backend, nth: int) -> bool:
    """Stall the n-th request of a setup during another setup. Return False if there is no n-th request."""
    case.raw.teardown()
    proxy.traffic = stalling = Stalling(nth)
    slow = Beside(client.setup)
    while not stalling.held.wait(0.01):
        with suppress(TimeoutError):
            slow.answer(0)
            return False
    other = Beside(case.raw.setup)
    with suppress(TimeoutError):
        other.answer(_A_WHILE)
    stalling.released.set()
    for setup in (slow, other):
        try:
            setup.answer()
        except Exception as exc:
            case.that(False, "two setups that succeed", repr(exc))
    new = NewRecord(kind="k")
    case.raw.insert([new], now=NOW)
    case.equal([new.id], list(case.raw.get([new.id])))
    return True

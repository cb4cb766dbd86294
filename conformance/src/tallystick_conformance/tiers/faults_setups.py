"""A setup that stands still between two of its requests, while another begins, on a store that is reached over TCP."""

from contextlib import suppress

from tallystick import Backend, NewRecord

from ..case import NOW, Case, example
from ..gates.chunks import server_of
from ..gates.proxy import Proxy
from ..threads import Beside
from .faults import through_proxy
from .faults_claims import Standing

_A_WHILE = 0.1
"""Seconds after which a setup that has no answer is taken to wait for the other."""

_MOST = 20
"""Requests of one setup that are held, at most."""


@example("SETUP-05")
def setups_meet(case: Case) -> None:
    """Whichever of its requests a setup has come to, another that begins is answered too, and the store works."""
    if server_of(case.target.url) is None:
        return
    with through_proxy(case) as (proxy, client):
        for nth in range(1, _MOST):
            if not _stands_still(case, proxy, client, nth):
                return


def _stands_still(case: Case, proxy: Proxy, client: Backend, nth: int) -> bool:
    """Hold the n-th request of a setup while another is made; say whether it has as many."""
    case.raw.teardown()
    proxy.traffic = standing = Standing(nth)
    slow = Beside(client.setup)
    while not standing.held.wait(0.01):
        with suppress(TimeoutError):
            slow.answer(0)
            return False
    other = Beside(case.raw.setup)
    with suppress(TimeoutError):
        other.answer(_A_WHILE)
    standing.let_go.set()
    for setup in (slow, other):
        try:
            setup.answer()
        except Exception as exc:
            case.that(False, "two setups that are answered", repr(exc))
    new = NewRecord(kind="k")
    case.raw.insert([new], now=NOW)
    case.equal([new.id], list(case.raw.get([new.id])))
    return True

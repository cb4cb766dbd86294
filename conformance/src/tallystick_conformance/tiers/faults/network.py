"""Network failures of stores that are reached over TCP: refused, cut, silent and slow connections."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from time import monotonic_ns, sleep

from tallystick import Backend, Filter, NewRecord, OutcomeUnknown, Unavailable

from ...gates.chunks import server_of, through
from ...gates.proxy import Link, Proxy, Traffic
from ...harness.case import NOW, Case, NotRun, example
from ...harness.threads import Beside
from ...history.check import check
from ...history.operation import Operation
from ...history.recorder import Recorder
from ...subject.target import Target
from ..schedules.play import connected, lines, make
from ..schedules.program import (
    Call,
    Calls,
    cancel,
    claim,
    complete,
    discard,
    extend,
    insert,
    requeue,
    rescue,
    retry,
    settle,
)

_LONGEST = 60.0
"""Seconds within which a call on a silent connection must end."""

_DELAY = 0.01
_TRIES = 3
"""How many calls a client may need to notice that the network is back."""

_MANY = 100
_LEFT = ("R9", "R10")
"""The history rules about jobs that a call passed over."""

_RUNNING = (insert(0, 1, 2), claim())
_CALLS: tuple[tuple[Calls, Call], ...] = (
    ((), insert(0, 1, 2)),
    ((insert(1),), insert(0)),  # one job in a known queue may take fewer steps than a batch
    ((insert(0, 1, 2),), claim()),
    (_RUNNING, settle(complete(0), retry(1), discard(2))),
    (_RUNNING, settle(complete(0))),
    (_RUNNING, extend(0)),
    (_RUNNING, rescue()),
    (_RUNNING, cancel(0, 1)),
    ((*_RUNNING, settle(complete(0), discard(1))), requeue(0, 1)),
)


class _Cutting(Traffic):
    """Cuts the connection at the n-th chunk from the client: before it is forwarded, or when its reply arrives."""

    def __init__(self, nth: int, *, late: bool, first: Callable[[], object] = lambda: None) -> None:
        self._left, self._late, self._first = nth, late, first

    def asked(self, link: Link, chunk: bytes) -> None:
        """Forward the chunk, or cut the connection."""
        self._left -= 1
        if self._left == 0 and not self._late:
            link.cut()
        else:
            link.ask(chunk)

    def answered(self, link: Link, chunk: bytes) -> None:
        """Forward the chunk, or cut the connection."""
        if self._left == 0:
            self._left = -1
            self._first()
            link.cut()
        else:
            link.answer(chunk)


class _Counting(Traffic):
    def __init__(self) -> None:
        self.chunks = 0

    def asked(self, link: Link, chunk: bytes) -> None:
        self.chunks += 1
        link.ask(chunk)


class _Silent(Traffic):
    """Accepts each chunk and forwards none."""

    def asked(self, link: Link, chunk: bytes) -> None:
        """Drop the chunk."""

    def answered(self, link: Link, chunk: bytes) -> None:
        """Drop the chunk."""


class _Slow(Traffic):
    def asked(self, link: Link, chunk: bytes) -> None:
        sleep(_DELAY)
        link.ask(chunk)


@example("FAULT-01")
def refused_connections(case: Case) -> None:
    """While connections are refused, a call raises Unavailable and does nothing. Afterwards, the client works again."""
    with through_proxy(case) as (proxy, client):
        new = NewRecord(kind="k")
        insert = Call("insert", ([new],), {"now": NOW})
        proxy.refuse()
        _error(client, insert)  # this call uses the lost connection, so its outcome may be unknown
        case.refuses(Unavailable, lambda: client.insert([new], now=NOW))
        proxy.accept()
        _require_works_again(case, client, insert)
        case.equal([new.id], list(case.raw.get([new.id])))


@example("FAULT-02")
def requests_that_are_lost(case: Case) -> None:
    """A call takes effect once or never if its connection is cut before one of its requests is forwarded."""
    _cut_everywhere(case, late=False)


@example("FAULT-03")
def answers_that_are_lost(case: Case) -> None:
    """A call takes effect once or never if its connection is cut before one of its replies is forwarded."""
    _cut_everywhere(case, late=True)


@example("FAULT-08")
def answers_that_are_lost_to_a_rescue(case: Case) -> None:
    """A call takes effect once or never if its reply is lost after a rescue by another client.

    That rescue may complete what it finds unfinished.
    """
    _cut_everywhere(case, late=True, others=(rescue(at=timedelta()),))


@example("FAULT-04")
def silent_connections(case: Case) -> None:
    """A call on a connection that becomes silent ends within a minute, and the client then works again."""
    with through_proxy(case) as (proxy, client):
        proxy.traffic = _Silent()
        new = NewRecord(kind="k")
        call = Beside(lambda: _error(client, Call("insert", ([new],), {"now": NOW})))
        try:
            error = call.answer(_LONGEST)
        except TimeoutError as late:
            case.that(False, f"an end within {_LONGEST:.0f} s", str(late))
            raise
        case.that(error is not None, "an error", "a result")
        _require_ours(case, error)
        proxy.traffic = Traffic()
        proxy.cut()
        _require_works_again(case, client, Call("insert", ([new],), {"now": NOW}))


@example("FAULT-05")
def slow_connections(case: Case) -> None:
    """On a slow connection, each call returns the same as on a fast one."""
    with through_proxy(case) as (proxy, client):
        proxy.traffic = _Slow()
        for before, last in _CALLS:
            recorder = Recorder(monotonic_ns)
            make(recorder.client(client, "slow"), *before, last)
            _require_explained(case, recorder)
            _clear(case)


def _cut_everywhere(case: Case, *, late: bool, others: Calls = ()) -> None:
    for before, last in _CALLS:
        for nth in range(1, _chunks(case, before, last) + 1):
            recorder = Recorder(monotonic_ns)
            first = partial(make, recorder.client(case.raw, "other"), *others)
            _cut_once(case, recorder, before, last, _Cutting(nth, late=late, first=first))
            _clear(case)


def _chunks(case: Case, before: Calls, last: Call) -> int:
    with through_proxy(case) as (proxy, client):
        make(case.raw, *before)
        proxy.traffic = counting = _Counting()
        make(client, last)
    _clear(case)
    return counting.chunks


def _cut_once(case: Case, recorder: Recorder, before: Calls, last: Call, cutting: Traffic) -> None:
    with through_proxy(case) as (proxy, client):
        make(recorder.client(case.raw, "before"), *before)
        proxy.traffic = cutting
        recorded = recorder.client(client, "cut")
        error = _error(recorded, last)
        _require_ours(case, error)
        proxy.traffic = Traffic()
        _require_works_again(case, recorded, last)
        _require_explained(case, recorder, cut=next(made for made in recorder.history() if made.client == "cut"))


def _require_works_again(case: Case, client: Backend, call: Call) -> None:
    errors = []
    for _ in range(_TRIES):
        error = _error(client, call)
        if error is None:
            return
        errors.append(repr(error))
    case.that(False, "a client that works again after the network failure", errors)


def _error(client: Backend, call: Call) -> Exception | None:
    try:
        getattr(client, call.method)(*call.args, **call.kwargs)
    except Exception as exc:
        return exc
    return None


def _require_ours(case: Case, error: Exception | None) -> None:
    ours = error is None or isinstance(error, Unavailable | OutcomeUnknown)
    case.that(ours, "a result, Unavailable or OutcomeUnknown", repr(error))


def _require_explained(case: Case, recorder: Recorder, cut: Operation | None = None) -> None:
    """Require a correct history. A call that was `cut` may leave jobs that its lost try still holds."""
    recorder.client(case.raw, "after").list(Filter(), limit=_MANY)
    case.steps[:] = lines(recorder.history())
    for finding in check(recorder.history(), precision=case.capabilities.time_precision):
        left = finding.rule in _LEFT and any(made == cut for made in finding.operations)
        case.that(left, "a call that happened once, or not at all", f"{finding.text} ({finding.rule})")


@contextmanager
def through_proxy(case: Case) -> Iterator[tuple[Proxy, Backend]]:
    """Open a client of the case's store through a proxy."""
    url = case.target.url
    server = server_of(url)
    if url is None or server is None:
        raise NotRun("the store is not reached over TCP: its URL has no host and port")
    proxy = Proxy(server, Traffic())
    try:
        with Target.from_class(type(case.raw), through(url, proxy)).make(case.namespace) as client:
            yield proxy, connected(client)
    finally:
        proxy.close()


def _clear(case: Case) -> None:
    case.raw.teardown()
    case.raw.setup()

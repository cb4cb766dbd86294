"""Resources of closed clients: threads and file descriptors that remain in this process."""

import gc
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from threading import Thread
from time import monotonic, sleep

from tallystick import Complete, Filter, InvalidArgument, NewRecord, TallystickError

from ...harness.case import LEASE, NOW, Case, example
from ...harness.threads import Beside
from .held import DESCRIPTORS, newly_held

_TIMES, _STORES = 25, 6
"""Clients, and stores, in each of two rounds."""

_PATIENCE = 2.0
"""Seconds in which threads and descriptors must disappear after their client was closed."""


@example("LEAK-01")
def clients_leave_nothing(case: Case) -> None:
    """Clients that are opened, used for each kind of call and closed leave no thread or file descriptor."""
    _require_nothing_left(case, lambda: _use(case))


@example("LEAK-01")
def threads_that_used_a_client_leave_nothing(case: Case) -> None:
    """Clients that three threads used and another thread closed leave no thread or file descriptor."""
    _require_nothing_left(case, lambda: _use_from_threads(case))


@example("LEAK-01")
def stores_leave_nothing(case: Case) -> None:
    """Stores that two clients used and a third removed leave no thread or file descriptor."""
    numbers = count()
    _require_nothing_left(case, lambda: _use_a_store(case, f"{case.namespace[:20]}_s{next(numbers)}"), _STORES)


@example("LEAK-02")
def transactions_leave_nothing(case: Case) -> None:
    """Clients with a committed, a rolled back and a rejected transaction leave no thread or file descriptor."""
    if case.capabilities.transactions:
        _require_nothing_left(case, lambda: _use_transactions(case))


@example("LEAK-02")
def errors_leave_nothing(case: Case) -> None:
    """Clients whose calls are rejected, or fail after close, leave no thread or file descriptor."""
    _require_nothing_left(case, lambda: _misuse(case))


@example("LEAK-03")
def waits_leave_nothing(case: Case) -> None:
    """Clients that are closed while another thread waits on them leave no thread or file descriptor."""
    _require_nothing_left(case, lambda: _close_during_a_wait(case))


@example("LEAK-03")
def waits_that_ended_leave_nothing(case: Case) -> None:
    """Clients whose waits found a job or timed out leave no thread or file descriptor."""
    case.backend.insert([NewRecord(kind="k", queue="due")])
    _require_nothing_left(case, lambda: _wait_to_the_end(case))


def _use(case: Case) -> None:
    with case.target.make(case.namespace) as client:
        client.setup()
        client.insert([NewRecord(kind="k")], now=NOW)
        claims = [record.claim for record in client.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)]
        client.extend(claims, lease=LEASE, now=NOW)
        client.settle([Complete(claim) for claim in claims], now=NOW)
        client.stats(now=NOW)
        client.wait(["default"], timeout=timedelta(0))
        client.delete(Filter(), limit=1)


def _use_a_store(case: Case, namespace: str) -> None:
    with case.target.others(namespace):
        try:
            with case.target.make(namespace) as first, case.target.make(namespace) as second:
                first.setup()
                second.insert([NewRecord(kind="k")], now=NOW)
                first.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
                second.wait(["default"], timeout=timedelta(0))
        finally:
            with case.target.make(namespace) as last:
                last.setup()  # else teardown may not recognize the store as its own
                last.teardown()


def _use_from_threads(case: Case) -> None:
    with case.target.make(case.namespace) as client:
        threads = [Thread(target=lambda: client.stats(now=NOW)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class _RollBack(Exception):
    pass


def _use_transactions(case: Case) -> None:
    too_large = b"x" * (case.capabilities.max_payload_bytes + 1)
    with case.target.make(case.namespace) as client:
        new = NewRecord(kind="k")
        with client.transaction() as transaction:
            client.insert([new], transaction=transaction, now=NOW)
        client.delete(Filter(ids=[new.id]), limit=1)
        with suppress(_RollBack), client.transaction() as transaction:
            client.insert([new], transaction=transaction, now=NOW)
            raise _RollBack
        with suppress(InvalidArgument), client.transaction() as transaction:
            client.insert([NewRecord(kind="k", payload=too_large)], transaction=transaction, now=NOW)


def _misuse(case: Case) -> None:
    client = case.target.make(case.namespace)
    with suppress(InvalidArgument):
        client.rescue(limit=0)
    with suppress(InvalidArgument):
        client.claim([""], limit=1, worker="w", lease=LEASE)
    client.list(Filter(), limit=1)
    client.close()
    with suppress(TallystickError):
        client.stats()


def _close_during_a_wait(case: Case) -> None:
    client = case.target.make(case.namespace)

    def wait() -> None:
        with suppress(TallystickError):
            client.wait(["default"], timeout=timedelta(seconds=_PATIENCE))

    waiting = Beside(wait)
    client.close()
    waiting.answer()


def _wait_to_the_end(case: Case) -> None:
    with case.target.make(case.namespace) as client:
        client.wait(["due"], timeout=timedelta(minutes=1))
        client.wait(["none"], timeout=timedelta(milliseconds=1))


def _require_nothing_left(case: Case, use: Callable[[], None], times: int = _TIMES) -> None:
    """Require that the held resources do not grow with the number of clients in both of two rounds.

    Resources that are made once and kept, or that grow only up to a limit, are no leak. Most leaks grow in both rounds.
    """
    use()  # makes the resources that are made once
    with newly_held() as held:
        counts = [held()]
        for _ in range(2):
            for _ in range(times):
                use()
            counts.append(_settled(counts[-1], held))
    least = max(3, times // 5)
    for n, what in enumerate(("threads", "file descriptors")):
        first, second, third = (each[n] for each in counts)
        case.that(
            second - first < least or third - second < least,
            f"about {first} new {what}",
            f"{second} new {what} after {times} clients, and {third} after {times} more",
        )
    if DESCRIPTORS is None:
        case.notice = "threads only: this platform does not list a process's file descriptors"


def _settled(before: tuple[int, int], held: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """Return the held resources after they had time to disappear."""
    deadline = monotonic() + _PATIENCE
    while any(now > then for now, then in zip(held(), before, strict=True)) and monotonic() < deadline:
        gc.collect()
        sleep(0.01)
    return held()

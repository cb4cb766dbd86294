"""Which thread claims a job, and which one runs it."""

from collections.abc import Sequence
from functools import partial
from threading import Event, Lock, get_ident
from typing import Any

from tallystick import Context, Record, Runner
from tallystick_memory import MemoryBackend

from ..helpers import MakeRunner, eventually


class Watched(MemoryBackend):
    """Remembers the thread of the last claim that found jobs."""

    claimed_in: int | None = None

    def claim(self, *arguments: Any, **options: Any) -> Sequence[Record]:
        """Claim."""
        records = super().claim(*arguments, **options)
        if records:
            self.claimed_in = get_ident()
        return records


def completed(runner: Runner, jobs: int) -> bool:
    return runner.snapshot().completed == jobs


def test_a_single_job_runs_in_the_thread_that_claimed_it(make_runner: MakeRunner) -> None:
    """So no other thread has to wake before the handler starts. Each claim may be in another thread."""
    backend = Watched()
    runner = make_runner(backend, concurrency=2)
    threads: list[tuple[int, int | None]] = []

    @runner.job("where")
    def where(n: int, ctx: Context) -> None:
        threads.append((get_ident(), backend.claimed_in))

    runner.start()
    for n in range(1, 6):
        runner.enqueue(where.job(n))
        eventually(partial(completed, runner, n))
    assert [ran_in for ran_in, _ in threads] == [claimed_in for _, claimed_in in threads]


def test_claims_go_on_while_the_claiming_thread_runs_a_job(make_runner: MakeRunner) -> None:
    """The first handler returns after the second one, whose job is enqueued once the first one has started."""
    runner = make_runner(concurrency=2)
    second = Event()

    @runner.job("first")
    def first(n: int, ctx: Context) -> None:
        runner.enqueue(last.job(0))
        assert second.wait(60)

    @runner.job("last")
    def last(n: int, ctx: Context) -> None:
        second.set()

    runner.start()
    runner.enqueue(first.job(0))
    eventually(partial(completed, runner, 2))


def test_no_more_handlers_run_at_once_than_allowed(make_runner: MakeRunner) -> None:
    """There is one thread more than handlers, since one claims. It runs no handler above the concurrency."""
    runner = make_runner(concurrency=2)
    lock, running, most = Lock(), 0, 0

    @runner.job("counted")
    def counted(n: int, ctx: Context) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        Event().wait(0.001)
        with lock:
            running -= 1

    runner.start()
    for n in range(300):
        runner.enqueue(counted.job(n))
    eventually(partial(completed, runner, 300))
    assert most == 2

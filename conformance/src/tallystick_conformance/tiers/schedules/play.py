"""Running programs on a store, with the workers' steps in the order of a schedule."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from threading import Thread
from time import monotonic_ns
from typing import NamedTuple

from tallystick import Backend, Discard, Failure, Filter, Record, State

from ...gates import Gate, Run, StepObserver, Turn
from ...harness.case import NOW
from ...history.operation import Operation
from ...history.recorder import Recorder
from ...subject.rendering import call as written
from ...subject.rendering import render, row
from ...subject.target import Target
from .program import QUEUE, Call, Program

Schedule = Sequence[Turn]

_MANY = 100


class Played(NamedTuple):
    """The result of a program: its history, which ends with reads of all records, those records, and the run."""

    history: Sequence[Operation]
    left: Sequence[Record]
    run: Run


class Stage:
    """A store and a gate, with a client for each worker or one for all. It runs programs one after another."""

    def __init__(self, target: Target, steps: StepObserver, workers: Iterable[str], *, shared: bool = False) -> None:
        self._target, self._steps, self._workers, self._shared = target, steps, tuple(workers), shared
        self._stack = ExitStack()

    def __enter__(self) -> "Stage":
        self._open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def play(self, program: Program, schedule: Schedule) -> Played:
        """Run a program. The workers continue as the schedule says, and then to their end."""
        recorder = Recorder(monotonic_ns)
        alone = recorder.client(self._backend, "kit")
        make(alone, *program.before)
        threads = [
            Thread(target=self._work, args=(name, recorder.client(self._clients[name], name), calls), daemon=True)
            for name, calls in program.workers.items()
        ]
        for thread in threads:
            thread.start()
        run = self._gate.run(schedule)
        for thread in threads:
            thread.join()
        left = alone.list(Filter(), limit=_MANY)
        alone.get(list(program.new))  # the history must explain a missing record
        if not self._is_cleared(left):
            self._stack.close()
            self._open()
        return Played(recorder.history(), left, run)

    def _open(self) -> None:
        namespace, self._backend = self._stack.enter_context(self._target.fresh())
        self._gate = self._stack.enter_context(Gate(self._steps, self._target, namespace, self._workers))
        owners = self._workers[:1] if self._shared else self._workers
        opened = {name: connected(self._stack.enter_context(self._gate.client(name))) for name in owners}
        self._clients = {name: opened.get(name, opened[owners[0]]) for name in self._workers}
        self._stack.callback(self._gate.let_go)

    def _work(self, name: str, client: Backend, calls: Sequence[Call]) -> None:
        with self._gate.worker(name):
            for n, call in enumerate(calls):
                if n:
                    self._gate.step(name)
                make(client, call)

    def _is_cleared(self, left: Sequence[Record]) -> bool:
        """Remove the records of a program, which is cheaper than a new store. Return False if some remain."""
        ends = [Discard(record.claim, Failure("E", "m")) for record in left if record.state is State.RUNNING]
        if ends:
            self._backend.settle(ends, now=NOW)
        if left:
            self._backend.delete(Filter(), limit=_MANY)
        if any(queue.paused for queue in self._backend.queues()):
            self._backend.resume(QUEUE)
        return not self._backend.list(Filter(), limit=1)


def make(client: Backend, *calls: Call) -> None:
    """Make calls, and ignore the errors that they raise, which the recorder keeps."""
    for call in calls:
        with suppress(Exception):
            getattr(client, call.method)(*call.args, **call.kwargs)


def connected(client: Backend) -> Backend:
    """Use a client once, so that the observed steps do not include connecting, and return it."""
    client.queues()
    client.settle([])
    return client


def lines(history: Iterable[Operation]) -> list[str]:
    """Return a history as text: each call with its result."""
    return [
        f"{made.client}: {written(made.call, (), made.given)}  # {repr(made.error) if made.error else _short(made)}"
        for made in history
    ]


def _short(made: Operation) -> str:
    if made.ended is None:
        return "no result"
    if not (isinstance(made.answer, list | tuple) and made.answer and isinstance(made.answer[0], Record)):
        return render(made.answer)
    return row(made.answer, lambda record: f"...{record.id.hex[-2:]} {record.state}, attempt {record.attempt}")

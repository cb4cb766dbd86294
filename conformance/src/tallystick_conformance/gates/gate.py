"""A gate holds workers before each of their steps, and a schedule lets one worker at a time continue."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, get_ident, get_native_id
from time import monotonic
from typing import NamedTuple

from tallystick import Backend

from ..subject.target import Target
from .observer import StepObserver

PATIENCE = 0.010
"""Seconds without CPU time after which a worker that may wait for another worker counts as blocked."""

_LOOK = 0.001
"""Seconds between two looks at such a worker."""

_MOST = 1.0
"""Seconds after which it counts as blocked in any case: it may wait in a loop without a pause."""

_WAKING = 0.001
"""Seconds in which a blocked worker can show, after each step of another worker, that it continues."""

_LIMIT = 60.0
"""Seconds after which `run` gives up if all workers are blocked: more than the lock timeout of any store."""


class Turn(NamedTuple):
    """A worker and how many steps it takes. None means all its remaining steps."""

    worker: str
    steps: int | None


class Run(NamedTuple):
    """The result of a run: the steps of each worker, and the workers in the order in which they reached a step."""

    steps: dict[str, int]
    order: list[str]


class Stuck(Exception):
    """All workers are blocked."""


class _Worker:
    def __init__(self, name: str) -> None:
        self.name = name
        self.entered = False
        self.thread = 0
        self.ended = False
        self.waiting = 0
        self.passes = 0
        self.signs = 0
        """How often the worker reached a step, or its end."""

    @property
    def is_held(self) -> bool:
        return not self.ended and self.waiting > self.passes

    @property
    def is_blocked(self) -> bool:
        return not self.ended and not self.waiting

    @property
    def is_in_call(self) -> bool:
        """Whether it has begun and not ended; a worker that waits for its first turn holds nothing."""
        return not self.ended and (self.signs > 1 or self.is_blocked)


class Gate:
    """Holds named workers before each of their steps, while `run` lets them continue as its schedule says.

        with Gate(steps, target, namespace, ["a", "b"]) as gate:
            client = gate.client("a")    # opened in the block, so that the gate sees its steps
            ...                          # a thread for each worker: `with gate.worker("a"): client.claim(...)`
            gate.run([Turn("a", 3), Turn("b", None)])

    A worker's first step is to begin. The gate does not hold threads that are not workers.
    """

    def __init__(self, steps: StepObserver, target: Target, namespace: str, workers: Iterable[str]) -> None:
        self._steps, self._target, self._namespace = steps, target, namespace
        self._workers = {name: _Worker(name) for name in workers}
        self._order: list[str] = []
        self._threads: dict[int, str] = {}
        self._changed = Condition()
        self._slowest = 0.0
        self._armed = steps.armed(self.step)

    def __enter__(self) -> "Gate":
        self._armed.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.let_go()
        self._armed.__exit__(None, None, None)

    def client(self, worker: str) -> Backend:
        """Open a client for a worker."""
        return self._steps.client(self._target, self._namespace, worker)

    @contextmanager
    def worker(self, name: str) -> Iterator[None]:
        """Make the calling thread a worker within the block, from the worker's first turn on."""
        worker = self._workers[name]
        worker.entered, worker.thread = True, get_native_id()
        self._threads[get_ident()] = name
        self.step(name)
        try:
            with self._steps.watched():
                yield
        finally:
            del self._threads[get_ident()]
            with self._changed:
                worker.ended = True
                self._sign(worker)

    def step(self, name: str | None = None) -> None:
        """Wait for the worker's next turn."""
        worker = self._workers.get(name or self._threads.get(get_ident(), ""))
        if worker is None or not worker.entered:
            return
        with self._changed:
            worker.waiting += 1
            self._sign(worker)
            self._changed.wait_for(lambda: worker.passes or worker.ended)
            worker.waiting -= 1
            worker.passes = max(0, worker.passes - 1)

    def _sign(self, worker: _Worker) -> None:
        worker.signs += 1
        self._order.append(worker.name)
        self._changed.notify_all()

    def run(self, schedule: Iterable[Turn]) -> Run:
        """Let workers take their turns, and then all their remaining steps. The gate can be used again afterwards.

        A turn ends at once if its worker has ended or is blocked by another.

        Raises:
            Stuck: All workers that have not ended are blocked.
        """
        with self._changed:
            self._changed.wait_for(lambda: all(worker.signs for worker in self._workers.values()))
            del self._order[:]
            for turn in schedule:
                self._take(self._workers[turn.worker], turn.steps)
            while rest := [worker for worker in self._workers.values() if not worker.ended]:
                self._wait_for_one(rest)
                for worker in rest:
                    self._take(worker, None)
            run = Run({name: worker.signs - 1 for name, worker in self._workers.items()}, self._order)
            self._workers = {name: _Worker(name) for name in self._workers}
            self._order = []
        return run

    def let_go(self) -> None:
        """Release all workers. A worker that an interrupted `run` left held may hold a lock of the store."""
        with self._changed:
            self._let_all_go()

    def _take(self, worker: _Worker, steps: int | None) -> None:
        taken = 0
        while worker.is_held and (steps is None or taken < steps):
            seen = worker.signs
            worker.passes += 1
            taken += 1
            self._changed.notify_all()
            self._await_sign(worker, seen)
            self._let_wake(worker)

    def _await_sign(self, worker: _Worker, seen: int) -> None:
        """Wait until a worker reaches its next step or is blocked.

        Only another worker in a call can block it, or the gate itself, if it holds another connection of the worker.
        """
        began = monotonic()
        others = (other for other in self._workers.values() if other is not worker)
        if not worker.is_held and not any(other.is_in_call for other in others):
            self._changed.wait_for(lambda: worker.signs > seen, _LIMIT)
            self._slowest = max(self._slowest, monotonic() - began)
            return
        idle_since = began
        while not self._changed.wait_for(lambda: worker.signs > seen, _LOOK):
            now = monotonic()
            if _needs_cpu(worker.thread):
                idle_since = now
            if now - idle_since > self._patience or now - began > _MOST:
                return

    @property
    def _patience(self) -> float:
        """The patience with an idle worker; a server's work is not seen, so its slowest step so far counts."""
        return PATIENCE if self._steps.by_thread else min(20 * PATIENCE, max(PATIENCE, 2 * self._slowest))

    def _let_wake(self, taker: _Worker) -> None:
        blocked = [worker for worker in self._workers.values() if worker.is_blocked and worker is not taker]
        if blocked:
            self._changed.wait_for(lambda: not all(worker.is_blocked for worker in blocked), _WAKING)

    def _wait_for_one(self, workers: list[_Worker]) -> None:
        if not self._changed.wait_for(lambda: any(worker.is_held or worker.ended for worker in workers), _LIMIT):
            self._let_all_go()
            raise Stuck(f"all workers were blocked for {_LIMIT:.0f} s")

    def _let_all_go(self) -> None:
        for worker in self._workers.values():
            worker.ended = True
        self._changed.notify_all()


def _needs_cpu(thread: int) -> bool:
    """Return whether a thread runs, could run or waits for a disk; False on platforms that do not show it."""
    try:
        stat = Path(f"/proc/self/task/{thread}/stat").read_text("utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in ("R", "D")

"""Watch the worker of this process: report its numbers to the supervisor, and stop it at its limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from ..messages.safe_logging import safe_logger
from ..runner.runner import Runner
from ..signals import StopSignals
from .beat import Beat
from .child_link import ChildLink
from .limits import Limits, used_memory

logger = safe_logger("tallystick.worker")

_INTERVAL = 1.0
_STARTING_INTERVAL = 0.05


@contextmanager
def watched(runner: Runner, signals: StopSignals, limits: Limits, link: ChildLink | None) -> Iterator[None]:
    """Watch a runner inside the block, if there is a supervisor or a limit."""
    if link is None and limits == Limits():
        yield
        return
    watch = _Watch(runner, signals, limits, link)
    watch.start()
    if link is not None:
        link.pass_requests(signals)
    try:
        yield
    finally:
        watch.stop()


class _Watch:
    """A thread that looks at the runner every second."""

    def __init__(self, runner: Runner, signals: StopSignals, limits: Limits, link: ChildLink | None) -> None:
        self._runner = runner
        self._signals = signals
        self._limits = limits.spread()
        self._link = link
        self._began = monotonic()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="tallystick-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL if self._runner.running else _STARTING_INTERVAL):
            if self._runner.running:
                self._look()

    def _look(self) -> None:
        seen, memory = self._runner.snapshot(), used_memory()
        jobs = seen.completed + seen.retried + seen.discarded + seen.cancelled
        why = self._limits.reached(seconds=monotonic() - self._began, jobs=jobs, memory=memory)
        if why is None and self._link is not None and seen.blocked:
            why = "its handlers are stuck"
        if self._link is not None:
            grace = self._runner.settings.grace.total_seconds()
            self._link.report(Beat(jobs, memory, seen.blocked, grace, ending=why is not None))
        if why is not None and not self._signals.requested:
            logger.info("this worker process ends and should be replaced: %s", why)
            self._signals.request()

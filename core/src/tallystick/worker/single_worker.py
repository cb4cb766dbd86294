"""Start and stop the worker of a runner, from any thread and any number of times."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import TIMEOUT_MAX, Event, RLock
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import forks
from ..config.settings import Settings
from ..contract import validation
from ..contract.backend import Backend
from ..contract.records import NewRecord
from ..errors import AlreadyStarted
from ..jobs.registry import Registry
from ..messages.safe_logging import safe_logger
from .served_queues import ServedQueues
from .snapshot import Snapshot
from .worker_context import WorkerContext

if TYPE_CHECKING:
    from .worker import Worker

logger = safe_logger("tallystick.worker")


class SingleWorker:
    """A runner's worker, of which at most one runs. While it runs, the registry accepts no new kinds.

    `prepare` is called with the store before a start. Its errors prevent the start.
    """

    def __init__(self, registry: Registry, prepare: Callable[[Backend, Settings], None]) -> None:
        self.running: Worker | None = None
        self._registry = registry
        self._prepare = prepare
        self._name = ""
        self._served = ServedQueues((), {})
        self._lock = RLock()  # a signal handler may stop a runner whose start or stop it interrupts
        self._stopping = RLock()
        self._stopped = _set()
        self._hurried: list[Callable[[], bool]] = []
        forks.watch(self)

    def start(self, new_context: Callable[[], WorkerContext]) -> "Worker":
        """Start a worker, and return it.

        Raises:
            AlreadyStarted: one is running.
        """
        from .worker import Worker  # noqa: PLC0415  # a program that only enqueues does not load it

        with self._lock:
            if self.running is not None:
                raise AlreadyStarted("this runner is already running; call stop() first")
            context = new_context()
            context.backend.get([uuid4()])  # raise here if the store cannot be used: the threads only log errors
            self._prepare(context.backend, context.settings)
            served = ServedQueues(context.queues, self._registry)
            worker = Worker(context)
            self._registry.closed = True
            self._stopped.clear()
            try:
                worker.start()
            except BaseException:
                self._registry.closed = False
                self._stopped.set()
                raise
            self._name, self._served, self.running = context.settings.worker, served, worker
        numbers = type(context.backend).__name__, ", ".join(context.queues), context.settings.concurrency
        logger.info("worker %s started on %s: queues %s, concurrency %d", self._name, *numbers)
        served.report_start()
        return worker

    def stop(self, grace: timedelta, hurried: Callable[[], bool]) -> int:
        """Stop the worker if it runs. A second caller also waits until it has stopped.

        Returns:
            How many outcomes were not recorded.
        """
        self._hurried.append(hurried)
        try:
            with self._stopping:
                return self._stop(grace)
        finally:
            self._hurried.remove(hurried)

    def _stop(self, grace: timedelta) -> int:
        with self._lock:
            worker, self.running = self.running, None
        if worker is None:
            return 0
        try:
            unrecorded = worker.stop(grace, lambda: any(hurried() for hurried in self._hurried.copy()))
        finally:
            with self._lock:  # another thread may have started it again
                self._registry.closed = self.running is not None
                if self.running is None:
                    self._stopped.set()
        logger.info("worker %s stopped", self._name)
        return unrecorded

    @property
    def stopped(self) -> bool:
        """Whether no worker runs, starts or stops."""
        return self._stopped.is_set()

    def wait_stopped(self, timeout: timedelta | None) -> bool:
        """Wait until the worker has stopped; return False at the timeout."""
        if timeout is None:
            return self._stopped.wait()
        return self._stopped.wait(min(validation.not_negative(timeout, "timeout").total_seconds(), TIMEOUT_MAX))

    def snapshot(self) -> Snapshot:
        """Return the numbers of the worker."""
        worker = self.running
        return Snapshot(running=False) if worker is None else worker.snapshot()

    def check_served(self, records: Sequence[NewRecord]) -> None:
        """Log newly enqueued jobs in queues that the running worker does not serve."""
        if self.running is not None:
            self._served.check(records)

    def look_at_schedules(self) -> None:
        """Let the running worker read the schedules now, because one has changed."""
        if (worker := self.running) is not None:
            worker.look_at_schedules()

    def release_at_exit(self) -> None:
        """Release claimed jobs if the process ends without a stop, and log how many."""
        if (worker := self.running) is None:
            return
        held, unreleased = worker.release_at_exit()
        if held:
            logger.warning(
                "the process ends, and worker %s was not stopped: it held %d jobs, and %d of them could not be "
                "released; call stop() or close() before the process ends, or use `with runner:`",
                self._name,
                held,
                unreleased,
            )

    def after_fork_in_child(self) -> None:
        """Become stopped: the worker's threads exist only in the parent."""
        self._lock, self._stopping = RLock(), RLock()
        self.running, self._stopped = None, _set()
        self._registry.closed = False


def _set() -> Event:
    """Return an event that is set, as that of a worker that does not run."""
    event = Event()
    event.set()
    return event

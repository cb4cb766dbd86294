"""A client that also runs jobs."""

import atexit
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from threading import RLock
from typing import Any
from uuid import uuid4

from typing_extensions import Unpack

from . import validation
from .backend import Backend
from .client import Client
from .current import is_inside, made_current, open_runners
from .errors import AlreadyStarted, CalledFromInside, InvalidArgument
from .handle import Handle
from .leftovers import report_lost_jobs
from .records import NewRecord
from .safe_logging import safe_logger
from .served_queues import ServedQueues
from .settings import SettingsArgs
from .signals import stop_signals
from .worker import Snapshot, Worker, WorkerContext

logger = safe_logger("tallystick.worker")


class SyncRunner(Client):
    """A client with a worker of its own. See `Runner`, which adds the calls for async code."""

    def __init__(self, backend: str | Backend | None = None, /, **settings: Unpack[SettingsArgs]) -> None:
        super().__init__(backend, **settings)
        self._worker: Worker | None = None
        self._served = ServedQueues((), {})
        self._lock = RLock()  # a signal handler may stop a runner whose start or stop it interrupts
        self._stopping = RLock()
        self._hurried: list[Callable[[], bool]] = []
        self._inherited = False  # by a fork

    def start(self) -> None:
        """Start running jobs in threads of this process. While the runner runs, you cannot register more jobs.

        Raises:
            AlreadyStarted: the runner is already running.
            Unavailable, NotSetUp: the store cannot be used.
            InvalidArgument: no jobs are registered, and no queues are set.
        """
        self._start()

    def stop(self, *, grace: timedelta | None = None, hurried: Callable[[], bool] = lambda: False) -> int:
        """Stop claiming jobs, let running jobs finish, then release the rest without costing them an attempt.

        Repeat: harmless, from any thread. You can start the runner again. A `run` in another thread returns.

        Args:
            grace: How long jobs may take to finish; None uses the setting.
            hurried: Polled during the grace period. Once it returns True, the grace period ends, even if another thread
                called `stop`.

        Returns:
            How many outcomes the store did not record; these jobs are rescued when their leases expire. Zero is good.

        Raises:
            CalledFromInside: a handler or callback of this runner called it, and would wait for itself.
        """
        if grace is not None:
            validation.not_negative(grace, "grace")
        if is_inside(self):
            raise CalledFromInside("a handler or callback cannot stop its own runner; call stop() from another thread")
        self._hurried.append(hurried)
        try:
            with self._stopping:  # a second caller also waits until the runner has stopped
                return self._stop(self._settings.grace if grace is None else grace)
        finally:
            self._hurried.remove(hurried)

    def run(self) -> int:
        """Run jobs until SIGTERM, SIGINT or a `stop` from another thread. A second signal ends the grace period.

        Python delivers signals only to the main thread. In any other thread, only `stop` ends `run`.

        Returns:
            The number of unrecorded outcomes, as from `stop`.
        """
        with stop_signals() as signals:
            worker = self._start()
            try:
                signals.wait(ended=lambda: self._worker is not worker)
            finally:
                unrecorded = self.stop(hurried=signals.again) if self._worker in (worker, None) else 0
            return unrecorded

    @property
    def running(self) -> bool:
        """Whether the runner was started and not stopped."""
        return self._worker is not None

    def snapshot(self) -> Snapshot:
        """Return the numbers of this runner's jobs: those it holds, and those that ended since its start."""
        worker = self._worker
        return worker.snapshot() if worker is not None else Snapshot(running=False)

    def close(self) -> None:
        """Stop, and close the store unless you passed a backend object. Repeat: harmless. `with runner:` reopens it."""
        self.stop()
        super().close()

    def _start(self) -> Worker:
        with self._lock:
            if self._worker is not None:
                raise AlreadyStarted("this runner is already running; call stop() first")
            context = self._worker_context()
            context.backend.get([uuid4()])  # raise here if the store cannot be used: the threads only log errors
            served = ServedQueues(context.queues, self._registry)
            worker = Worker(context)
            self._registry.closed = True
            try:
                worker.start()
            except BaseException:
                self._registry.closed = False
                raise
            self._served, self._worker = served, worker
        numbers = type(context.backend).__name__, ", ".join(context.queues), self._settings.concurrency
        logger.info("worker %s started on %s: queues %s, concurrency %d", self._settings.worker, *numbers)
        served.report_start()
        return worker

    def _stop(self, grace: timedelta) -> int:
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is None:
            return 0
        unrecorded = worker.stop(grace, lambda: any(hurried() for hurried in self._hurried.copy()))
        with self._lock:  # another thread may have started it again
            self._registry.closed = self._worker is not None
        logger.info("worker %s stopped", self._settings.worker)
        return unrecorded

    def _worker_context(self) -> WorkerContext:
        queues = self._settings.queues
        if queues is None:
            queues = tuple(dict.fromkeys(definition.options.queue for definition in self._registry.values()))
        if not queues:
            raise InvalidArgument("no jobs are registered and no queues are set; register a job, or set queues")
        return WorkerContext(
            self.backend, self._settings, queues, self._registry, self._observers, partial(made_current, self)
        )

    def _insert(self, records: Sequence[NewRecord], transaction: object | None) -> list[Handle[Any]]:
        handles = super()._insert(records, transaction)
        if self._worker is not None:
            self._served.check(records)
        return handles

    def _release_at_exit(self) -> None:
        """Release claimed jobs and log lost ones when the process ends without closing this runner."""
        if (worker := self._worker) is not None:
            held, unreleased = worker.release_at_exit()
            if held:
                logger.warning(
                    "the process ends, and worker %s was not stopped: it held %d jobs, and %d of them could not be "
                    "released; call stop() or close() before the process ends, or use `with runner:`",
                    self._settings.worker,
                    held,
                    unreleased,
                )
        if not self._inherited:
            report_lost_jobs(self.backend)

    def after_fork_in_child(self) -> None:
        """Become a stopped runner: the worker's threads exist only in the parent."""
        super().after_fork_in_child()
        self._lock, self._stopping = RLock(), RLock()
        self._worker = None
        self._registry.closed = False
        self._inherited = True


def _release_all_at_exit() -> None:
    for runner in list(open_runners):
        if isinstance(runner, SyncRunner):
            runner._release_at_exit()  # noqa: SLF001  # of this module


atexit.register(_release_all_at_exit)

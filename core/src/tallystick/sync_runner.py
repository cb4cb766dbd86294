"""A client that also works jobs."""

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
    """A client with a worker of its own, once started; see `Runner`, which adds the calls for async callers."""

    def __init__(self, backend: str | Backend | None = None, /, **settings: Unpack[SettingsArgs]) -> None:
        super().__init__(backend, **settings)
        self._worker: Worker | None = None
        self._served = ServedQueues((), {})
        self._lock = RLock()  # a signal handler may stop a runner whose start or stop it interrupts
        self._stopping = RLock()
        self._hurried: list[Callable[[], bool]] = []
        self._inherited = False  # by a fork

    def start(self) -> None:
        """Begin to work jobs, in threads of this process. Until it is stopped, no other job can be registered.

        Raises:
            AlreadyStarted: it runs already.
            Unavailable, NotSetUp: the store cannot be used.
            InvalidArgument: no jobs are registered, and no queues are set.
        """
        self._start()

    def stop(self, *, grace: timedelta | None = None, hurried: Callable[[], bool] = lambda: False) -> int:
        """Claim no more, let jobs finish, then give back what has not finished, at no cost to its attempts.

        Repeat: harmless, from any thread. The runner can be started again, and `run` returns.

        Args:
            grace: How long jobs may take to finish; None is the setting.
            hurried: Asked now and then; as soon as it returns True, the grace is over, also that of a stop under way.

        Returns:
            How many outcomes the store did not record; these jobs are rescued when their leases expire. Zero is good.

        Raises:
            CalledFromInside: a handler or callback of this runner cannot wait for itself.
        """
        if grace is not None:
            validation.not_negative(grace, "grace")
        if is_inside(self):
            raise CalledFromInside("a handler or callback cannot stop its own runner; do it from another thread")
        self._hurried.append(hurried)
        try:
            with self._stopping:  # a second caller waits, too, until it has stopped
                return self._stop(self._settings.grace if grace is None else grace)
        finally:
            self._hurried.remove(hurried)

    def run(self) -> int:
        """Work jobs until SIGTERM, SIGINT or a `stop` from another thread; a second signal ends the grace.

        Outside the main thread, where Python receives no signals, only `stop` ends it.

        Returns:
            See `stop`.
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
        """Whether it has been started and not stopped."""
        return self._worker is not None

    def snapshot(self) -> Snapshot:
        """Return what this runner has in hand, in numbers."""
        worker = self._worker
        return worker.snapshot() if worker is not None else Snapshot(running=False)

    def close(self) -> None:
        """Stop, and close the store unless it was given as an object. Repeat: harmless. `with runner:` reopens it."""
        self.stop()
        super().close()

    def _start(self) -> Worker:
        with self._lock:
            if self._worker is not None:
                raise AlreadyStarted("this runner was started already; stop() it first")
            context = self._worker_context()
            context.backend.get([uuid4()])  # raises if the store cannot be used; the worker's threads would only log it
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
        with self._lock:  # it may have been started again
            self._registry.closed = self._worker is not None
        logger.info("worker %s stopped", self._settings.worker)
        return unrecorded

    def _worker_context(self) -> WorkerContext:
        queues = self._settings.queues
        if queues is None:
            queues = tuple(dict.fromkeys(definition.options.queue for definition in self._registry.values()))
        if not queues:
            raise InvalidArgument("nothing to work: register a job, or set queues")
        return WorkerContext(
            self.backend, self._settings, queues, self._registry, self._observers, partial(made_current, self)
        )

    def _insert(self, records: Sequence[NewRecord], transaction: object | None) -> list[Handle[Any]]:
        handles = super()._insert(records, transaction)
        if self._worker is not None:
            self._served.check(records)
        return handles

    def _leave(self) -> None:
        """Release what is in hand and log what is lost, at the end of a process that did not close this runner."""
        if (worker := self._worker) is not None:
            in_hand, left = worker.leave()
            if in_hand:
                logger.warning(
                    "the process ends, and worker %s was not stopped: it had %d jobs in hand, and %d of them could not "
                    "be released; call stop() or close() before the end, or use `with runner:`",
                    self._settings.worker,
                    in_hand,
                    left,
                )
        if not self._inherited:
            report_lost_jobs(self.backend)

    def after_fork_in_child(self) -> None:
        """Be a runner that was not started: the threads of its worker are the parent's."""
        super().after_fork_in_child()
        self._lock, self._stopping = RLock(), RLock()
        self._worker = None
        self._registry.closed = False
        self._inherited = True


def _leave_all() -> None:
    for runner in list(open_runners):
        if isinstance(runner, SyncRunner):
            runner._leave()  # noqa: SLF001  # of this module


atexit.register(_leave_all)

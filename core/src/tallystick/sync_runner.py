"""A client that also works jobs."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Lock

from typing_extensions import Unpack

from . import guards
from .backend import Backend
from .client import Client
from .current import is_inside, made_current
from .errors import AlreadyStarted, CalledFromInside, InvalidArgument
from .settings import SettingsArgs
from .signals import stop_signals
from .worker import Snapshot, Worker, Workplace

logger = logging.getLogger("tallystick.worker")


class SyncRunner(Client):
    """A client with a worker of its own, once started; see `Runner`, which adds the calls for async callers."""

    def __init__(self, backend: str | Backend | None = None, /, **settings: Unpack[SettingsArgs]) -> None:
        super().__init__(backend, **settings)
        self._worker: Worker | None = None
        self._lock = Lock()
        self._stopping = Lock()

    def start(self) -> None:
        """Begin to work jobs, in threads of this process. From now on no job can be registered.

        Raises:
            AlreadyStarted: it runs already.
            InvalidArgument: no jobs are registered, and no queues are set.
        """
        with self._lock:
            if self._worker is not None:
                raise AlreadyStarted("this runner was started already; stop() it first")
            place = self._workplace()
            self._registry.closed = True
            worker = Worker(place)
            worker.start()
            self._worker = worker
        numbers = type(place.backend).__name__, ", ".join(place.queues), self._settings.concurrency
        logger.info("worker %s started on %s: queues %s, concurrency %d", self._settings.worker, *numbers)

    def stop(self, *, grace: timedelta | None = None, hurried: Callable[[], bool] = lambda: False) -> None:
        """Claim no more, let jobs finish, then give back what has not finished, at no cost to its attempts.

        Repeat: harmless. The runner can be started again.

        Args:
            grace: How long jobs may take to finish; None is the setting.
            hurried: Asked now and then; as soon as it returns True, the grace is over.

        Raises:
            CalledFromInside: a handler or callback of this runner cannot wait for itself.
        """
        if grace is not None:
            guards.not_negative(grace, "grace")
        if is_inside(self):
            raise CalledFromInside("a handler or callback cannot stop its own runner; do it from another thread")
        with self._stopping:  # whoever stops it, too, waits until it has stopped
            with self._lock:
                worker, self._worker = self._worker, None
            if worker is not None:
                worker.stop(self._settings.grace if grace is None else grace, hurried)
                logger.info("worker %s stopped", self._settings.worker)

    def run(self) -> None:
        """Work jobs until SIGTERM or SIGINT, then stop; a second signal ends the grace. For the main thread."""
        with stop_signals() as signals:
            self.start()
            signals.wait()
            self.stop(hurried=signals.again)

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._worker is not None

    def snapshot(self) -> Snapshot:
        """Return what this runner has in hand, in numbers."""
        worker = self._worker
        return worker.snapshot() if worker is not None else Snapshot(running=False)

    def _workplace(self) -> Workplace:
        queues = self._settings.queues
        if queues is None:
            queues = tuple(dict.fromkeys(definition.options.queue for definition in self._registry.values()))
        if not queues:
            raise InvalidArgument("nothing to work: register a job, or set queues")
        return Workplace(
            self.backend, self._settings, queues, self._registry, self._observers, partial(made_current, self)
        )

    def close(self) -> None:
        """Stop, and close the store unless it was given as an object. Repeat: harmless."""
        self.stop()
        super().close()

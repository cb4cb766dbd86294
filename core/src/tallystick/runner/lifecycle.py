"""Open and close a runner's store, and start and stop its worker."""

import atexit
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Self, cast

from typing_extensions import Unpack

from .. import forks
from ..async_bridge import async_variant
from ..config.setting_sources import Source, sources
from ..config.settings import Settings, SettingsArgs, read_settings, with_own_worker_name
from ..contract import validation
from ..contract.backend import Backend
from ..errors import AlreadyStarted, CalledFromInside, InvalidArgument
from ..hooks.observers import Observers
from ..hooks.plugins import check_contract, installed
from ..jobs.batch_definition import check_waits
from ..jobs.current import current, is_inside, made_current, open_runners, unclosed_runners
from ..jobs.registry import Registry
from ..jobs.services import Services
from ..messages.advice import near
from ..messages.safe_repr import type_name
from ..signals import stop_signals
from ..urls import redact
from ..worker import EXTEND_AFTER, SingleWorker, Snapshot, WorkerContext
from .declared_schedules import DeclaredSchedules
from .lazy_backend import LazyBackend
from .leftovers import report_lost_jobs


class Lifecycle:
    """The settings, the store and the worker of a runner. `Runner` adds the jobs."""

    def __init__(self, backend: str | Backend | None = None, /, **settings: Unpack[SettingsArgs]) -> None:
        if isinstance(backend, str):
            settings["backend"] = backend
        elif isinstance(backend, Backend):
            check_contract(type(backend), type(backend).__name__)
        elif backend is not None:
            raise InvalidArgument(f"backend is of type {type_name(backend)}; it must be a URL (a str) or a Backend")
        self._arguments = settings
        self._settings = read_settings(settings)
        self._lazy_backend = LazyBackend(backend if isinstance(backend, Backend) else None)
        self._registry = Registry()
        self._services = Services()
        self._declared = DeclaredSchedules()
        self._observers = Observers(installed().hooks)
        self._worker = SingleWorker(self._registry, self._declared.put)
        self._inherited = False  # by a fork
        unclosed_runners.add(self)
        forks.watch(self)

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self._settings

    @property
    def setting_sources(self) -> Mapping[str, Source]:
        """Where each setting comes from: an argument of this runner, the environment, or the default."""
        given = {"backend"} if self._lazy_backend.is_given else set()
        return sources(self._settings, given | {*self._arguments})

    def configure(self, **settings: Unpack[SettingsArgs]) -> None:
        """Override settings before the first use, as command-line options do. A URL replaces a backend object.

        Raises:
            AlreadyStarted: the store is already open.
            ConfigurationError: a setting is invalid.
        """
        if self._lazy_backend.is_open:
            raise AlreadyStarted("this runner's store is already open; configure the runner before its first use")
        arguments: SettingsArgs = {**self._arguments, **settings}
        self._settings = read_settings(arguments)
        self._arguments = arguments
        if "backend" in settings:
            self._lazy_backend = self._lazy_backend.instead()

    @property
    def backend(self) -> Backend:
        """The store. The first use opens it and, with `auto_setup`, sets it up."""
        backend = self._lazy_backend.get(self._settings)
        open_runners.add(self)
        return backend

    @contextmanager
    def using(self, backend: Backend) -> Iterator[None]:
        """Use another store inside the block, as `tallystick.testing` does. At its end, stop the runner if it runs.

        Raises:
            AlreadyStarted: the runner is running.
        """
        if self.running:
            raise AlreadyStarted("this runner is running, so its store cannot be replaced; call stop() first")
        before, self._lazy_backend = self._lazy_backend, LazyBackend(backend)
        try:
            yield
        finally:
            self.stop()
            self._lazy_backend = before
            if not before.is_open:
                open_runners.discard(self)

    @property
    def store_name(self) -> str:
        """The URL of the store without its password, or the class of the backend object that you passed."""
        return self._lazy_backend.given_name or redact(self._settings.backend)

    @property
    def has_chosen_store(self) -> bool:
        """Whether an argument or the environment selects a store. The default, `memory://`, serves one process only."""
        return self._lazy_backend.is_given or "backend" in self._settings.model_fields_set

    def start(self) -> None:
        """Start running jobs in threads of this process. While the runner runs, you cannot register more jobs.

        Raises:
            AlreadyStarted: the runner is already running.
            Unavailable, NotSetUp: the store cannot be used.
            DefinitionError: a kind lacks an upgrade between two versions of its payload, or the provider of a service.
            DefinitionError: a child process could not import a kind with `isolation="process"`.
            InvalidArgument: no jobs are registered, and no queues are set; or a batch waits longer than a sixth of the
                lease.
        """
        self._worker.start(self._starting_context)

    astart = async_variant(start)

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
        grace = self._settings.grace if grace is None else validation.not_negative(grace, "grace")
        if is_inside(self):
            raise CalledFromInside("a handler or callback cannot stop its own runner; call stop() from another thread")
        return self._worker.stop(grace, hurried)

    astop = async_variant(stop)

    def run(self) -> int:
        """Run jobs until SIGTERM, SIGINT or a `stop` from another thread. A second signal ends the grace period.

        Python delivers signals only to the main thread. In any other thread, only `stop` ends `run`.

        Returns:
            The number of unrecorded outcomes, as from `stop`.
        """
        with stop_signals() as signals:
            worker = self._worker.start(self._starting_context)
            try:
                signals.wait(ended=lambda: self._worker.running is not worker)
            finally:
                is_own = self._worker.running in (worker, None)
                unrecorded = self.stop(hurried=signals.again) if is_own else 0
            return unrecorded

    @property
    def running(self) -> bool:
        """Whether the runner was started and not stopped."""
        return self._worker.running is not None

    def snapshot(self) -> Snapshot:
        """Return the numbers of this runner's jobs: those it holds, and those that ended since its start."""
        return self._worker.snapshot()

    def close(self) -> None:
        """Stop, and close the store unless you passed a backend object. Repeat: harmless. `with runner:` reopens it."""
        self.stop()
        open_runners.discard(self)
        unclosed_runners.discard(self)
        self._lazy_backend.close()

    aclose = async_variant(close)

    @property
    def closed(self) -> bool:
        """Whether the runner was closed and not reopened."""
        return self._lazy_backend.is_closed

    def __enter__(self) -> Self:
        self._lazy_backend.reopen()
        unclosed_runners.add(self)
        _ = self.backend
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    __aenter__ = async_variant(__enter__)
    __aexit__ = async_variant(__exit__)

    @classmethod
    def current(cls) -> Self:
        """Return the runner of the current handler; elsewhere, e.g. in a web request, the only runner that is open.

        If no runner is open yet, it is the only one that was created and not closed.

        Raises:
            NoCurrentRunner: no runner is open or exists, or several are.
        """
        return cast("Self", current())

    def _starting_context(self) -> WorkerContext:
        context = self._worker_context()
        if all(definition.options.isolation is None for definition in self._registry.values()):
            return context
        from ..isolation import isolate  # noqa: PLC0415  # few runners have isolated kinds

        return isolate(context, self, self._registry.classes)

    def _worker_context(self) -> WorkerContext:
        self._registry.check_upgrades()
        for kind, definition in self._registry.items():
            self._services.check(kind, definition.services, is_async=definition.is_async)
        check_waits(list(self._registry.values()), self._settings.lease * EXTEND_AFTER)
        queues = self._settings.queues
        if queues is None:
            queues = tuple(dict.fromkeys(definition.options.queue for definition in self._registry.values()))
        if not queues:
            raise InvalidArgument("no jobs are registered and no queues are set; register a job, or set queues")
        for name in ("queue_weights", "queue_timeouts"):
            if unserved := sorted((getattr(self._settings, name) or {}).keys() - {*queues}):
                raise InvalidArgument(
                    f"{name} has {unserved[0]!r}, which this runner does not serve; {near(unserved[0], queues)}it "
                    f"serves {', '.join(queues)}"
                )
        return WorkerContext(
            self.backend,
            self._settings,
            queues,
            self._registry,
            self._observers,
            partial(made_current, self),
            self._services,
        )

    def after_fork_in_child(self) -> None:
        """Give the child process a worker name of its own."""
        self._settings = with_own_worker_name(self._settings)
        self._inherited = True

    def _release_at_exit(self) -> None:
        """Release claimed jobs and log lost ones when the process ends without closing this runner."""
        self._worker.release_at_exit()
        if not self._inherited:
            report_lost_jobs(self.backend)


def _release_all_at_exit() -> None:
    for runner in list(open_runners):
        if isinstance(runner, Lifecycle):
            runner._release_at_exit()  # noqa: SLF001  # of this module


atexit.register(_release_all_at_exit)

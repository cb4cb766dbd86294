"""The methods of a runner that register callbacks and hooks. `Runner` inherits them."""

from collections.abc import Callable
from typing import Any, TypeVar, cast, overload

from ..hooks.callbacks import Callback, EnqueuedCallback, Event, Kind, StartedCallback
from ..jobs import misuse
from ..jobs.misuse import MISSING
from .lifecycle import Lifecycle

CallbackT = TypeVar("CallbackT", bound=Callback)
EnqueuedT = TypeVar("EnqueuedT", bound=EnqueuedCallback)
StartedT = TypeVar("StartedT", bound=StartedCallback)


class RunnerCallbacks(Lifecycle):
    """Registers callbacks and hooks.

    Each callback is for all jobs, as `@runner.on_completed`, or for those of one kind, as
    `@runner.on_completed(kind=send)`; the kind is a definition, a `Job` class or a name. Callbacks are short, sync
    functions. Their exceptions are logged, and do not affect the job.
    """

    @overload
    def on_enqueued(self, callback: EnqueuedT, /) -> EnqueuedT: ...
    @overload
    def on_enqueued(self, /, *, kind: Kind) -> Callable[[EnqueuedT], EnqueuedT]: ...
    def on_enqueued(self, callback: Any = MISSING, /, *, kind: Kind | None = None) -> Any:
        """Call `callback(record)` after this runner has stored a new job.

        In your own transaction, the job is not committed yet. The callback is not called for duplicates, which are not
        stored, nor for the jobs of schedules, which the store inserts.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        return self._add(Event.ENQUEUED, "on_enqueued", callback, kind)

    @overload
    def on_started(self, callback: StartedT, /) -> StartedT: ...
    @overload
    def on_started(self, /, *, kind: Kind) -> Callable[[StartedT], StartedT]: ...
    def on_started(self, callback: Any = MISSING, /, *, kind: Kind | None = None) -> Any:
        """Call `callback(ctx)` before a handler starts, in its thread or on its event loop.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        return self._add(Event.STARTED, "on_started", callback, kind)

    @overload
    def on_retried(self, callback: CallbackT, /) -> CallbackT: ...
    @overload
    def on_retried(self, /, *, kind: Kind) -> Callable[[CallbackT], CallbackT]: ...
    def on_retried(self, callback: Any = MISSING, /, *, kind: Kind | None = None) -> Any:
        """Call `callback(record, outcome)` after each attempt that failed and is retried. See `on_discarded`.

        It is also called for a job that this runner rescues because its worker died, with LEASE_EXPIRED as its error.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        return self._add(Event.RETRIED, "on_retried", callback, kind)

    @overload
    def on_completed(self, callback: CallbackT, /) -> CallbackT: ...
    @overload
    def on_completed(self, /, *, kind: Kind) -> Callable[[CallbackT], CallbackT]: ...
    def on_completed(self, callback: Any = MISSING, /, *, kind: Kind | None = None) -> Any:
        """Call `callback(record, outcome)` after each job that this runner completes.

        Keep the callback short: while it runs, no other outcomes are recorded. Its exceptions are logged. If it has a
        parameter `exception`, it receives None there.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        return self._add(Event.COMPLETED, "on_completed", callback, kind)

    @overload
    def on_discarded(self, callback: CallbackT, /) -> CallbackT: ...
    @overload
    def on_discarded(self, /, *, kind: Kind) -> Callable[[CallbackT], CallbackT]: ...
    def on_discarded(self, callback: Any = MISSING, /, *, kind: Kind | None = None) -> Any:
        """Call `callback(record, outcome)` after each job that this runner discards.

        Keep the callback short: while it runs, no other outcomes are recorded. Its exceptions are logged. If it has a
        parameter `exception`, it receives the handler's exception with its traceback, or None if nothing was raised.
        When a worker dies during a job's last attempt, the runner that rescues the job discards it; nothing was raised.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        return self._add(Event.DISCARDED, "on_discarded", callback, kind)

    @overload
    def on_cancelled(self, callback: CallbackT, /) -> CallbackT: ...
    @overload
    def on_cancelled(self, /, *, kind: Kind) -> Callable[[CallbackT], CallbackT]: ...
    def on_cancelled(self, callback: Any = MISSING, /, *, kind: Kind | None = None) -> Any:
        """Call `callback(record, outcome)` after each job that this runner cancels. See `on_discarded`.

        A waiting job is cancelled by the runner whose `cancel` was called, and a running one by the runner that runs or
        rescues it.

        Raises:
            InvalidArgument: the callback does not take these arguments, or is an async function.
        """
        return self._add(Event.CANCELLED, "on_cancelled", callback, kind)

    def add_hooks(self, plugin: object) -> None:
        """Add an object or a module with [hooks](hooks.md) for this runner only, without an installed distribution.

        Raises:
            InvalidArgument: it has no functions that are marked with `@tallystick.hookimpl`, or one of them takes other
                arguments.
        """
        self._observers.add_hooks(plugin)

    def _add(self, event: Event, method: str, callback: Any, kind: Kind | None) -> Any:
        if kind is not None and callback is MISSING:
            return lambda function: self._add(event, method, function, kind)
        misuse.check_callback(callback, method)
        self._observers.add_callback(event, callback, kind)
        return cast("Any", callback)

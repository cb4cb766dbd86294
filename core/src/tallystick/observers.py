"""Call plugins' hooks and runners' callbacks. Their exceptions are logged and do not affect the job."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from inspect import Parameter, Signature, iscoroutinefunction, signature
from typing import Any, Protocol, assert_never

import pluggy

from .context import Context
from .errors import InvalidArgument
from .hook_calls import hook_calls
from .interrupts import from_signal
from .outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from .records import Claim, Inserted, Record
from .safe_logging import safe_logger
from .safe_repr import safe_repr

logger = safe_logger("tallystick.observers")


class CallbackWithException(Protocol):
    """A callback that also takes the handler's exception."""

    def __call__(self, record: Record, outcome: Outcome, /, *, exception: BaseException | None) -> object:
        """Receive the record as it was claimed, the recorded outcome, and the exception, or None."""


Callback = Callable[[Record, Outcome], object] | CallbackWithException
"""Receives the record as it was claimed and the recorded outcome. `exception` is passed if it has that parameter."""


class Observers:
    """The hooks of installed plugins, and the callbacks of one runner."""

    def __init__(self, plugins: pluggy.PluginManager) -> None:
        self._hook = plugins.hook
        self._watched = bool(plugins.hook.tallystick_work.get_hookimpls())
        self._on_completed: list[tuple[Callback, bool]] = []
        self._on_discarded: list[tuple[Callback, bool]] = []

    def on_completed(self, callback: Callback) -> None:
        """Add a callback for completed jobs."""
        self._on_completed.append((callback, _takes_exception(callback)))

    def on_discarded(self, callback: Callback) -> None:
        """Add a callback for discarded jobs."""
        self._on_discarded.append((callback, _takes_exception(callback)))

    def enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Report inserted jobs."""
        _each(self._hook.tallystick_enqueued, inserted=inserted)

    def claimed(self, records: Sequence[Record]) -> None:
        """Report claimed jobs."""
        _each(self._hook.tallystick_claimed, records=records)

    def begin_work(self, ctx: Context) -> Sequence[Callable[[], None]]:
        """Report that a handler is about to start; return the callables for `end_work`."""
        return _each(self._hook.tallystick_work, ctx=ctx) if self._watched else ()

    def end_work(self, endings: Sequence[Callable[[], None]]) -> None:
        """Report that the handler has ended."""
        for end in endings:
            _call(end)

    def settled(
        self,
        outcomes: Sequence[Outcome],
        records: Sequence[Record],
        exceptions: Sequence[BaseException | None] | None = None,
    ) -> None:
        """Report recorded outcomes, each with its record and the exception that ended the attempt, or None."""
        exceptions = exceptions or [None] * len(outcomes)
        _each(self._hook.tallystick_settled, outcomes=outcomes, records=records, exceptions=exceptions)
        if self._on_completed or self._on_discarded:
            for record, outcome, exception in zip(records, outcomes, exceptions, strict=True):
                for callback, takes_exception in self._callbacks(outcome):
                    more = {"exception": exception} if takes_exception else {}
                    # a context per callback, so that context variables do not leak between callbacks
                    copy_context().run(_call, callback, record, outcome, **more)

    def lost(self, claims: Sequence[Claim]) -> None:
        """Report lost claims."""
        _each(self._hook.tallystick_lost, claims=claims)

    def _callbacks(self, outcome: Outcome) -> list[tuple[Callback, bool]]:
        match outcome:
            case Complete():
                return self._on_completed
            case Discard():
                return self._on_discarded
            case Retry() | Release() | Cancel():
                return []
            case _:
                assert_never(outcome)


def _each(hook: pluggy.HookCaller, **arguments: Any) -> list[Any]:
    """Call each implementation of a hook, even if another one raises."""
    results = [_call(function, **taken) for function, taken in hook_calls(hook, **arguments)]
    return [result for result in results if result is not None]


def _call(listener: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return listener(*args, **kwargs)
    except BaseException as exc:
        if from_signal(exc):
            raise
        logger.exception("an observer raised an exception: %s", safe_repr(listener))
        return None


def _takes_exception(callback: Callback) -> bool:
    """Return whether a callback takes `exception`. Rejects a callable that does not take (record, outcome)."""
    parameters = _parameters(callback)
    more = {"exception": None} if "exception" in parameters else {}
    try:
        Signature(list(parameters.values())).bind(None, None, **more)
    except TypeError as exc:
        raise _not_a_callback(callback) from exc
    return bool(more)


def _parameters(callback: Callback) -> dict[str, Parameter]:
    if iscoroutinefunction(callback) or not callable(callback):
        raise _not_a_callback(callback)
    try:
        return dict(signature(callback).parameters)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return {"args": Parameter("args", Parameter.VAR_POSITIONAL)}


def _not_a_callback(callback: object) -> InvalidArgument:
    return InvalidArgument(
        f"{safe_repr(callback)} cannot be a callback; it must be a sync function of (record, outcome) or of "
        "(record, outcome, exception)"
    )

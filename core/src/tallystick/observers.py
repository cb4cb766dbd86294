"""Telling plugins and callbacks about jobs. What they raise is logged, and changes nothing for the job."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pluggy

from .context import Context
from .outcomes import Complete, Discard, Outcome
from .records import Claim, Inserted, Record

logger = logging.getLogger("tallystick.observers")

Callback = Callable[[Record, Outcome], object]
"""Called with the record as it was claimed, and the outcome that was recorded."""


class Observers:
    """The hooks of installed plugins, and the callbacks of one runner."""

    def __init__(self, plugins: pluggy.PluginManager) -> None:
        self._hook = plugins.hook
        self._watched = bool(plugins.hook.tallystick_work.get_hookimpls())
        self.on_completed: list[Callback] = []
        self.on_discarded: list[Callback] = []

    def enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Tell of an insert."""
        _each(self._hook.tallystick_enqueued, inserted=inserted)

    def claimed(self, records: Sequence[Record]) -> None:
        """Tell of a claim."""
        _each(self._hook.tallystick_claimed, records=records)

    def begin_work(self, ctx: Context) -> Sequence[Callable[[], None]]:
        """Tell that a handler is about to be called; return what `end_work` takes."""
        return _each(self._hook.tallystick_work, ctx=ctx) if self._watched else ()

    def end_work(self, endings: Sequence[Callable[[], None]]) -> None:
        """Tell that the handler is done."""
        for end in endings:
            _tell(end)

    def settled(self, outcomes: Sequence[Outcome], records: Sequence[Record]) -> None:
        """Tell of outcomes that were recorded."""
        _each(self._hook.tallystick_settled, outcomes=outcomes, records=records)
        if self.on_completed or self.on_discarded:
            for record, outcome in zip(records, outcomes, strict=True):
                for callback in self._callbacks(outcome):
                    _tell(callback, record, outcome)

    def lost(self, claims: Sequence[Claim]) -> None:
        """Tell of claims that are held no longer."""
        _each(self._hook.tallystick_lost, claims=claims)

    def _callbacks(self, outcome: Outcome) -> list[Callback]:
        if isinstance(outcome, Complete):
            return self.on_completed
        return self.on_discarded if isinstance(outcome, Discard) else []


def _each(hook: pluggy.HookCaller, **arguments: Any) -> list[Any]:
    """Call each implementation of a hook on its own, so that one that raises keeps no other from being called."""
    answers = []
    for implementation in reversed(hook.get_hookimpls()):
        taken = {name: arguments[name] for name in implementation.argnames}
        answers.append(_tell(implementation.function, **taken))
    return [answer for answer in answers if answer is not None]


def _tell(listener: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return listener(*args, **kwargs)
    except Exception:
        logger.exception("an observer raised: %r", listener)
        return None

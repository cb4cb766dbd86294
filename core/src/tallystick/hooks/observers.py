"""Call hooks and a runner's callbacks. Their exceptions are logged and do not affect the job."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, assert_never

import pluggy

from ..contract.outcomes import Outcome
from ..contract.records import Claim, Inserted, NewRecord, Record
from ..errors import InvalidArgument
from ..jobs.context import Context
from ..messages.safe_repr import safe_repr, safe_str
from . import hookspecs
from .callbacks import Callbacks, Event, Kind, call
from .carried import CarriedVariables
from .hook_calls import hook_calls

_UNWATCHED = nullcontext()

_OF_INSTALLED_PLUGINS = ("tallystick_backend", "tallystick_cli")


class Observers:
    """The hooks of installed plugins, and the hooks, callbacks and carried context variables of one runner."""

    def __init__(self, plugins: pluggy.PluginManager) -> None:
        self._callbacks = Callbacks()
        self._carried = CarriedVariables()
        self._hooks = [plugins.hook]
        self._watch_work = bool(plugins.hook.tallystick_work.get_hookimpls())
        self._watch_meta = bool(plugins.hook.tallystick_meta.get_hookimpls())
        self._watch_calls = bool(plugins.hook.tallystick_call.get_hookimpls())
        self._watch_enqueued = self._watch_ends = self._watch_cancelled = False

    def add_hooks(self, plugin: object) -> None:
        """Add an object whose methods, or a module whose functions, are hooks for this runner only.

        Raises:
            InvalidArgument: it has no hooks, or one that takes other arguments.
        """
        own = pluggy.PluginManager("tallystick")
        own.add_hookspecs(hookspecs)
        try:
            own.register(plugin)
            own.check_pending()
            names = [caller.name for caller in own.get_hookcallers(plugin) or ()]
        except Exception as exc:  # pluggy compares and inspects the object, whose methods may raise anything
            raise InvalidArgument(
                f"{safe_repr(plugin)} cannot be a plugin: {safe_str(exc)}; write its functions as the reference "
                "of hooks shows"
            ) from exc
        if not names or {*names} & {*_OF_INSTALLED_PLUGINS}:
            hooks = ", ".join(name for name in vars(hookspecs) if name.startswith("tallystick_"))
            raise InvalidArgument(
                f"{safe_repr(plugin)} cannot be a plugin of a runner; mark its functions with @tallystick.hookimpl. "
                f"The hooks are: {hooks}, but only an installed plugin has {' and '.join(_OF_INSTALLED_PLUGINS)}"
            )
        self._hooks.append(own.hook)
        self._watch_work = self._watch_work or "tallystick_work" in names
        self._watch_meta = self._watch_meta or "tallystick_meta" in names
        self._watch_calls = self._watch_calls or "tallystick_call" in names

    def add_callback(self, event: Event, callback: Callable[..., object], kind: Kind | None) -> None:
        """Add a callback for jobs of a kind, or of all kinds. See `Callbacks.add`."""
        self._callbacks.add(event, callback, kind)
        match event:
            case Event.ENQUEUED:
                self._watch_enqueued = True
            case Event.STARTED:
                self._watch_work = True
            case Event.RETRIED | Event.COMPLETED | Event.DISCARDED | Event.CANCELLED:
                self._watch_ends = True
                self._watch_cancelled = self._watch_cancelled or event is Event.CANCELLED
            case _:
                assert_never(event)

    def carry(self, variable: ContextVar[Any], key: str | None, dump: Any, load: Any) -> None:
        """Carry a context variable to the handlers. See `CarriedVariables.add`."""
        self._carried.add(variable, key, dump, load)
        self._watch_work = self._watch_meta = True

    @property
    def watch_cancellations(self) -> bool:
        """Whether an observer wants to know which jobs a call cancelled."""
        return self._watch_cancelled or any(hooks.tallystick_settled.get_hookimpls() for hooks in self._hooks)

    def with_meta(self, records: Sequence[NewRecord]) -> Sequence[NewRecord]:
        """Return the records to insert, with the carried context variables and the meta that hooks add.

        Raises:
            InvalidArgument: a context variable cannot be carried.
        """
        if not self._watch_meta:
            return records
        if carried := self._carried.meta():
            records = [_with_meta(record, carried) for record in records]
        for hooks in self._hooks:
            for added in _each(hooks.tallystick_meta, records=records):
                records = call(_added, records, added) or records
        return records

    def calling(self, name: str, queues: Callable[[], Sequence[str]]) -> AbstractContextManager[None]:
        """Report a call to the store, which is made inside the returned context manager."""
        return self._reported(name, queues()) if self._watch_calls else _UNWATCHED

    @contextmanager
    def _reported(self, name: str, queues: Sequence[str]) -> Iterator[None]:
        endings = [ending for hooks in self._hooks for ending in _each(hooks.tallystick_call, name=name, queues=queues)]
        try:
            yield
        finally:
            self.end_work(endings)

    def enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Report inserted jobs."""
        for hooks in self._hooks:
            _each(hooks.tallystick_enqueued, inserted=inserted)
        if self._watch_enqueued:
            for item in inserted:
                if item.created:
                    self._callbacks.call(Event.ENQUEUED, item.record.kind, item.record)

    def claimed(self, records: Sequence[Record]) -> None:
        """Report claimed jobs."""
        for hooks in self._hooks:
            _each(hooks.tallystick_claimed, records=records)

    def begin_work(self, ctx: Context, *, is_batch: bool = False) -> Sequence[Callable[[], None]]:
        """Report that a handler is about to start, and restore its context variables.

        The jobs of a batch may come from different contexts, so a batch handler sees none of their variables.

        Returns:
            The callables for `end_work`.
        """
        if not self._watch_work:
            return ()
        restored = [self._carried.restore(ctx.meta)] if self._carried and not is_batch else []
        self._callbacks.call(Event.STARTED, ctx.kind, ctx)
        return [*restored, *(ending for hooks in self._hooks for ending in _each(hooks.tallystick_work, ctx=ctx))]

    def restore_variables(self, ctx: Context) -> None:
        """Restore the carried context variables of a job in a child process, for the rest of its context."""
        if self._carried:
            self._carried.restore(ctx.meta)

    def end_work(self, endings: Sequence[Callable[[], None]]) -> None:
        """Report that a handler or a call has ended: the last that began ends first, to restore context variables."""
        for end in reversed(endings):
            call(end)

    def settled(
        self,
        outcomes: Sequence[Outcome],
        records: Sequence[Record],
        exceptions: Sequence[BaseException | None] | None = None,
    ) -> None:
        """Report recorded outcomes, each with its record and the exception that ended the attempt, or None."""
        exceptions = exceptions or [None] * len(outcomes)
        for hooks in self._hooks:
            _each(hooks.tallystick_settled, outcomes=outcomes, records=records, exceptions=exceptions)
        if self._watch_ends:
            self._callbacks.call_for_ends(zip(records, outcomes, exceptions, strict=True))

    def lost(self, claims: Sequence[Claim]) -> None:
        """Report lost claims."""
        for hooks in self._hooks:
            _each(hooks.tallystick_lost, claims=claims)


def _added(records: Sequence[NewRecord], added: Sequence[Mapping[str, str]]) -> Sequence[NewRecord]:
    return [call(_with_meta, record, more) or record for record, more in zip(records, added, strict=True)]


def _with_meta(record: NewRecord, more: Mapping[str, str]) -> NewRecord:
    return replace(record, meta={**more, **record.meta}) if more else record


def _each(hook: pluggy.HookCaller, **arguments: Any) -> list[Any]:
    """Call each implementation of a hook, even if another one raises."""
    results = [call(function, **taken) for function, taken in hook_calls(hook, **arguments)]
    return [result for result in results if result is not None]

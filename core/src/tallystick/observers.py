"""Call hooks and a runner's callbacks. Their exceptions are logged and do not affect the job."""

from collections.abc import Callable, Sequence
from typing import Any

import pluggy

from . import hookspecs
from .callbacks import Callbacks, Event, Kind, call
from .context import Context
from .errors import InvalidArgument
from .hook_calls import hook_calls
from .outcomes import Outcome
from .records import Claim, Inserted, Record
from .safe_repr import safe_repr, safe_str

_OF_INSTALLED_PLUGINS = ("tallystick_backend", "tallystick_cli")


class Observers:
    """The hooks of installed plugins, and the hooks and callbacks of one runner."""

    def __init__(self, plugins: pluggy.PluginManager) -> None:
        self.callbacks = Callbacks()
        self._managers = [plugins]
        self._watched = bool(plugins.hook.tallystick_work.get_hookimpls())

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
        except (pluggy.PluginValidationError, ValueError) as exc:
            raise InvalidArgument(f"{safe_repr(plugin)} cannot be a plugin: {safe_str(exc)}") from exc
        names = [caller.name for caller in own.get_hookcallers(plugin) or ()]
        if not names or {*names} & {*_OF_INSTALLED_PLUGINS}:
            hooks = ", ".join(name for name in vars(hookspecs) if name.startswith("tallystick_"))
            raise InvalidArgument(
                f"{safe_repr(plugin)} cannot be a plugin of a runner; mark its functions with @tallystick.hookimpl. "
                f"The hooks are: {hooks}, but only an installed plugin has {' and '.join(_OF_INSTALLED_PLUGINS)}"
            )
        self._managers.append(own)
        self._watched = self._watched or "tallystick_work" in names

    def add_callback(self, event: Event, callback: Callable[..., object], kind: Kind | None) -> None:
        """Add a callback for jobs of a kind, or of all kinds. See `Callbacks.add`."""
        self.callbacks.add(event, callback, kind)
        self._watched = self._watched or event is Event.STARTED

    @property
    def watch_cancellations(self) -> bool:
        """Whether an observer wants to know which jobs a call cancelled."""
        hooked = any(manager.hook.tallystick_settled.get_hookimpls() for manager in self._managers)
        return hooked or self.callbacks.watch(Event.CANCELLED)

    def enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Report inserted jobs."""
        self._each("tallystick_enqueued", inserted=inserted)
        if self.callbacks.watch(Event.ENQUEUED):
            for record, created in inserted:
                if created:
                    self.callbacks.call(Event.ENQUEUED, record.kind, record)

    def claimed(self, records: Sequence[Record]) -> None:
        """Report claimed jobs."""
        self._each("tallystick_claimed", records=records)

    def begin_work(self, ctx: Context) -> Sequence[Callable[[], None]]:
        """Report that a handler is about to start; return the callables for `end_work`."""
        if not self._watched:
            return ()
        self.callbacks.call(Event.STARTED, ctx.kind, ctx)
        return self._each("tallystick_work", ctx=ctx)

    def end_work(self, endings: Sequence[Callable[[], None]]) -> None:
        """Report that the handler has ended."""
        for end in endings:
            call(end)

    def settled(
        self,
        outcomes: Sequence[Outcome],
        records: Sequence[Record],
        exceptions: Sequence[BaseException | None] | None = None,
    ) -> None:
        """Report recorded outcomes, each with its record and the exception that ended the attempt, or None."""
        exceptions = exceptions or [None] * len(outcomes)
        self._each("tallystick_settled", outcomes=outcomes, records=records, exceptions=exceptions)
        if self.callbacks.watch(Event.RETRIED, Event.COMPLETED, Event.DISCARDED, Event.CANCELLED):
            self.callbacks.call_for_ends(list(zip(records, outcomes, exceptions, strict=True)))

    def lost(self, claims: Sequence[Claim]) -> None:
        """Report lost claims."""
        self._each("tallystick_lost", claims=claims)

    def _each(self, hook: str, **arguments: Any) -> list[Any]:
        """Call each implementation of a hook, even if another one raises."""
        callers = [getattr(manager.hook, hook) for manager in self._managers]
        results = [call(function, **taken) for caller in callers for function, taken in hook_calls(caller, **arguments)]
        return [result for result in results if result is not None]

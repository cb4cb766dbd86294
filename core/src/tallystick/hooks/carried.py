"""Carry context variables of the code that enqueues in the meta of jobs, and restore them for the handler."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token, copy_context
from typing import Any, NamedTuple

from ..contract.meta import Meta
from ..errors import InvalidArgument
from ..interrupts import from_signal
from ..messages.safe_repr import safe_repr


class _Carried(NamedTuple):
    variable: ContextVar[Any]
    dump: Callable[[Any], str] | None
    load: Callable[[str], Any] | None


class CarriedVariables:
    """The context variables that a runner carries, by their key in the meta."""

    def __init__(self) -> None:
        self._by_key: dict[str, _Carried] = {}

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def add(
        self,
        variable: ContextVar[Any],
        key: str | None,
        dump: Callable[[Any], str] | None,
        load: Callable[[str], Any] | None,
    ) -> None:
        """Carry a variable under a key of the meta; by default, its name.

        Raises:
            InvalidArgument: it is no context variable, another one has the key, or only one function is given.
        """
        if not isinstance(variable, ContextVar):
            raise InvalidArgument(f"variable is {safe_repr(variable)}; it must be a contextvars.ContextVar")
        for name, function in (("dump", dump), ("load", load)):
            if function is not None and not callable(function):
                raise InvalidArgument(f"{name} is {safe_repr(function)}; it must be a function")
        if (dump is None) != (load is None):
            raise InvalidArgument("dump and load belong together; pass both, or neither for a variable of str")
        if not isinstance(key, str | None):
            raise InvalidArgument(f"key is {safe_repr(key)}; it must be a key of meta, or None for the variable's name")
        [checked] = Meta({variable.name if key is None else key: ""})
        if (known := self._by_key.get(checked)) is not None and known.variable is not variable:
            raise InvalidArgument(f"another context variable has the key {checked!r} of meta; pass another key=")
        self._by_key[checked] = _Carried(variable, dump, load)

    def meta(self) -> dict[str, str]:
        """Return the values of the variables that are set here, except None.

        Raises:
            InvalidArgument: a value is not text, and cannot be written as text.
        """
        context = copy_context()
        values = {key: (carried, context.get(carried.variable)) for key, carried in self._by_key.items()}
        return {key: _text(carried, value) for key, (carried, value) in values.items() if value is not None}

    def restore(self, meta: Mapping[str, str]) -> Callable[[], None]:
        """Set the variables that the meta of a job has; return a function that resets them. Raises what `load` does."""
        tokens: list[tuple[ContextVar[Any], Token[Any]]] = []
        for key, carried in self._by_key.items():
            if key in meta:
                value = meta[key] if carried.load is None else carried.load(meta[key])
                tokens.append((carried.variable, carried.variable.set(value)))

        def reset() -> None:
            for variable, token in tokens:
                variable.reset(token)

        return reset


def _text(carried: _Carried, value: object) -> str:
    name = carried.variable.name
    if carried.dump is None:
        if isinstance(value, str):
            return value
        raise InvalidArgument(
            f"the context variable {name!r} is {safe_repr(value)}, which is no text; carry it with dump= and load="
        )
    try:
        text: object = carried.dump(value)
    except BaseException as exc:
        if from_signal(exc):
            raise
        raise InvalidArgument(
            f"dump of the context variable {name!r} failed: {safe_repr(exc)}; it must return text"
        ) from exc
    if isinstance(text, str):
        return text
    raise InvalidArgument(f"dump of the context variable {name!r} returned {safe_repr(text)}; it must be a string")

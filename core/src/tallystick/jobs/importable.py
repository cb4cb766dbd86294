"""Check that a handler for a child process can be imported there."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

from ..errors import DefinitionError
from ..messages.safe_repr import safe_repr
from .options import Options


def check_importable(kind: str, handler: Callable[..., Any], options: Options) -> None:
    """Reject a handler with `isolation="process"` that no import can find: a lambda, a closure, a bound method.

    The start of a runner checks the rest: that the name still belongs to the job.

    Raises:
        DefinitionError: the handler is not at the level of a module that can be imported.
    """
    if not isinstance(options, Options) or options.isolation is None:  # the definition rejects other values
        return
    why = _why_not(handler)
    if why is not None:
        raise DefinitionError(
            f'{kind!r} has isolation="process", and its handler {safe_repr(handler)} {why}, so a child process cannot '
            "import it; define it at the level of a module"
        )


def _why_not(handler: Callable[..., Any]) -> str | None:
    if inspect.ismethod(handler):
        return "is a bound method"
    name = handler.__qualname__
    if "<lambda>" in name:
        return "is a lambda"
    if "<locals>" in name:
        return "is defined inside a function"
    if handler.__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__"):
        return "is defined in an interactive session"
    return None

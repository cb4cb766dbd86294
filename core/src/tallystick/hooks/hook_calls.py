"""Call the implementations of a hook one by one; pluggy would stop at the first that raises."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pluggy


def hook_calls(hook: pluggy.HookCaller, **arguments: Any) -> Iterator[tuple[Callable[..., Any], Mapping[str, Any]]]:
    """Return each implementation of a hook, in pluggy's order, with the arguments that it takes."""
    for implementation in reversed(hook.get_hookimpls()):
        yield implementation.function, {name: arguments[name] for name in implementation.argnames}

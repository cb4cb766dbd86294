"""The warnings that Tallystick issues. Python's filters turn them off, or into errors.

For example, `warnings.filterwarnings("ignore", category=KindFormatWarning)` accepts every format of a kind. Python
shows a warning once for each line of your code.
"""

import re
import sys
import warnings

from .contract import validation

__all__ = ["BlockingCallWarning", "KindFormatWarning", "TallystickWarning"]

_PACKAGES = ("tallystick.", "tallystick_")  # the core and its plugins

_USUAL_KIND = re.compile(r"[a-z][a-z0-9_]*(:[a-z][a-z0-9_]*)+")


class TallystickWarning(UserWarning):
    """The base class of all warnings."""


class KindFormatWarning(TallystickWarning):
    """A kind is not written as `category:action`, such as `emails:send`. The job works; rename it, or ignore this."""


class BlockingCallWarning(TallystickWarning):
    """A blocking call was made on a running event loop, which waited for the store. Await the async variant instead."""


def is_usual_kind(kind: str) -> bool:
    """Return whether a kind is written as `category:action`."""
    return _USUAL_KIND.fullmatch(kind) is not None


def checked_kind(kind: str) -> str:
    """Return a kind. Warn if it is not written as `category:action`.

    Raises:
        InvalidArgument: the kind cannot be stored.
    """
    validation.name(kind, "kind")
    if not is_usual_kind(kind):
        warn(
            f"the kind {kind!r} is not category:action, e.g. 'emails:send'; rename it, or turn this warning off: "
            'warnings.filterwarnings("ignore", category=tallystick.KindFormatWarning)',
            KindFormatWarning,
        )
    return kind


def warn_of_blocking() -> None:
    """Warn of an enqueue that blocks the event loop of this thread."""
    warn(
        "this enqueue blocks the event loop that runs in this thread until the store replies; await the async "
        "variant: await runner.aenqueue(...)",
        BlockingCallWarning,
    )


def warn(message: str, category: type[TallystickWarning]) -> None:
    """Issue a warning at the line of the caller's code that called Tallystick."""
    warnings.warn(message, category, stacklevel=_depth_of_user() + 1)


def _depth_of_user() -> int:
    """Return how many frames above this function's caller the first frame outside Tallystick is."""
    depth, frame = 0, sys._getframe(1)  # noqa: SLF001  # `inspect.stack` reads source files
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__")):
        frame = frame.f_back
        depth += 1
    return depth


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and f"{module}.".startswith(_PACKAGES)

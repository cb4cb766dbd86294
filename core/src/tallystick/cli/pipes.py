"""End a command quietly when the reader of its output goes away, as in `tallystick jobs list | head`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_pipe_is_success() -> Iterator[None]:
    """Exit with 0 if the block ends because stdout or stderr is a closed pipe."""
    try:
        yield
    except (BrokenPipeError, SystemExit) as exc:
        if not _is_closed_pipe(exc):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes stdout at its end
        sys.exit(0)


def _is_closed_pipe(exc: BaseException) -> bool:
    """Check the cause. Typer and Rich exit with 1 where they catch the error, so look one step behind an exit."""
    return isinstance(exc, BrokenPipeError) or (exc.code == 1 and isinstance(exc.__context__, BrokenPipeError))  # type: ignore[attr-defined]

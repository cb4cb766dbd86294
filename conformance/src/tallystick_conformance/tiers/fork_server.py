"""Where processes are let live and die, from the side of the kit."""

import atexit
import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from subprocess import PIPE, Popen
from threading import Timer
from typing import IO

from ..signals import spared
from .crash_child import PATIENCE, Death, Word, main
from .parcel import Parcel

_PROGRAM = f"from {main.__module__} import {main.__name__}; {main.__name__}()"


class ForkServer:
    """One process from which others come, each for a death; where there is no fork, one for each."""

    def __init__(self) -> None:
        self._process: Popen[bytes] | None = None

    def let_live(self, death: Death) -> Word | None:
        """Let a process live and die; return its word, or None if it died before it had one."""
        process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        limit = Timer(2 * PATIENCE, process.kill)
        limit.daemon = True  # a Ctrl-C just as it starts leaves it behind, and nobody waits for it at the end
        try:
            limit.start()
            pickle.dump((sys.path, Parcel.of(death)), process.stdin)
            process.stdin.flush()
            words = list(self._words(process.stdout))
        finally:
            limit.cancel()
        return words[0] if words else None

    def _words(self, told: IO[bytes]) -> Iterator[Word]:
        try:
            while (word := pickle.load(told)) != Word():  # noqa: S301 - from our child
                yield word
        except EOFError:  # it died itself
            self.close()

    def _started(self) -> Popen[bytes]:
        with spared():
            self._process = Popen([sys.executable, "-c", _PROGRAM], stdin=PIPE, stdout=PIPE)  # noqa: S603 - ours
        return self._process

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(BrokenPipeError), process:  # what it forked may hold its pipes, so their end is not awaited
                pass


@cache
def fork_server() -> ForkServer:
    """Return the one of this process; it ends with it."""
    one = ForkServer()
    atexit.register(one.close)
    return one

"""The kit's side of the fork server, which starts the processes of crash tests."""

import atexit
import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from subprocess import PIPE, Popen
from threading import Timer
from typing import IO

from ...harness.children import spared
from ...harness.parcel import Parcel
from .child import PATIENCE, ChildReport, Death, main

_PROGRAM = f"from {main.__module__} import {main.__name__}; {main.__name__}()"


class ForkServer:
    """A process that forks a child for each death. Without fork, each death gets a new process."""

    def __init__(self) -> None:
        self._process: Popen[bytes] | None = None

    def run(self, death: Death) -> ChildReport | None:
        """Run a child until it dies, and return its report, or None if it died before it sent one."""
        process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        limit = Timer(2 * PATIENCE, process.kill)
        limit.daemon = True  # an interrupt may leave it running; the interpreter must not wait for it
        try:
            limit.start()
            pickle.dump((sys.path, Parcel.of(death)), process.stdin)
            process.stdin.flush()
            reports = list(self._reports(process.stdout))
        finally:
            limit.cancel()
        return reports[0] if reports else None

    def _reports(self, stdout: IO[bytes]) -> Iterator[ChildReport]:
        try:
            while (report := pickle.load(stdout)) != ChildReport():  # noqa: S301 - from our child
                yield report
        except EOFError:  # without fork, the server was the child
            self.close()

    def _started(self) -> Popen[bytes]:
        with spared():
            self._process = Popen([sys.executable, "-c", _PROGRAM], stdin=PIPE, stdout=PIPE)  # noqa: S603 - ours
        return self._process

    def close(self) -> None:
        """Kill the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(BrokenPipeError), process:  # children may keep the pipes open; do not read to the end
                pass


@cache
def fork_server() -> ForkServer:
    """Return the fork server of this process. It ends with this process."""
    one = ForkServer()
    atexit.register(one.close)
    return one

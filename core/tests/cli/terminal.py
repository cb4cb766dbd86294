"""Run the command line on a pseudo-terminal."""

import os
import pty
import signal
import subprocess
import sys
import termios
from types import TracebackType
from typing import Self

from ..helpers import LONG


class Terminal:
    """A command that runs on a terminal of a given size. Everything that it prints is in `output`."""

    def __init__(self, *arguments: str, columns: int = 80, environment: dict[str, str] | None = None) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in _IGNORED}
        self.output = ""
        self._file, end = pty.openpty()
        termios.tcsetwinsize(end, (24, columns))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tallystick.cli", *arguments],
            stdin=end,
            stdout=end,
            stderr=end,
            env=kept | {"TERM": "xterm-256color"} | (environment or {}),
            preexec_fn=_hear_interrupts,  # noqa: PLW1509  # it only sets a signal
        )
        os.close(end)

    def read_until(self, text: str) -> None:
        """Read until the output contains this text."""
        while text not in self.output:
            assert self._read(), self.output

    def interrupt(self) -> None:
        """Send the signal of Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def finish(self) -> int:
        """Read everything that follows, and return the exit code."""
        while self._read():
            pass
        return self._process.wait(LONG.total_seconds())

    def _read(self) -> bool:
        try:
            data = os.read(self._file, 65_536)
        except OSError:  # Linux reports the end of a terminal so
            return False
        self.output += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._file)


def _hear_interrupts() -> None:
    """React to Ctrl-C, even if the tests run in the background of a shell, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


_IGNORED = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TALLYSTICK_BACKEND", "TALLYSTICK_DEBUG"}

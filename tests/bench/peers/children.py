"""Run adapters in processes of their own, each in the environment of its system."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from .systems import System

ADAPTERS = Path(__file__).parent / "adapters"


class Environments:
    """The environments of the systems, made at their first use. They have the Python of this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def call(self, system: System, function: str, *arguments: object) -> Any:
        """Call a function of the system's adapter in a new process, and return its result."""
        command = self._command(system, function, arguments)
        done = subprocess.run(command, cwd=ADAPTERS, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None

    @contextmanager
    def worker(self, system: System, target: str, *arguments: object) -> Iterator[tuple[IO[str], IO[str]]]:
        """Run a worker that is ready to begin; yield its standard input and output. It ends with its input."""
        process = subprocess.Popen(
            self._command(system, "work", (target, *arguments)),
            cwd=ADAPTERS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not process.stdout.readline():
                raise RuntimeError(f"the worker of {system.name} could not start")
            yield process.stdin, process.stdout
        finally:
            process.communicate()

    def _command(self, system: System, function: str, arguments: tuple[object, ...]) -> list[str]:
        python = self._python(system)
        return [python, "child.py", system.adapter, function, *map(json.dumps, arguments)]

    def _python(self, system: System) -> str:
        if system.requirements is None:
            return sys.executable
        environment = self._folder / system.adapter
        python = str(environment / "bin" / "python")
        if not environment.exists():
            base = os.path.realpath(sys.executable)
            subprocess.run(["uv", "venv", "--quiet", f"--python={base}", str(environment)], check=True)
            install = ["uv", "pip", "install", "--quiet", "--no-deps", f"--python={python}"]
            subprocess.run([*install, f"--requirements={system.requirements}"], check=True)
        return python


def begin(stdin: IO[str]) -> None:
    """Let a worker begin."""
    stdin.write("\n")
    stdin.flush()


def wait_for_ends(outputs: Sequence[IO[str]], jobs: int) -> float:
    """Wait until workers have reported the ends of this many jobs; return when the last one ended."""
    reports: SimpleQueue[tuple[int, str]] = SimpleQueue()
    for worker, output in enumerate(outputs):
        Thread(target=_read, args=(worker, output, reports), daemon=True).start()
    ends, last = [0] * len(outputs), 0.0
    while sum(ends) < jobs:
        worker, line = reports.get()
        count, ended = line.split()
        ends[worker], last = int(count), max(last, float(ended))
    return last


def _read(worker: int, output: IO[str], reports: SimpleQueue[tuple[int, str]]) -> None:
    for line in output:
        reports.put((worker, line))

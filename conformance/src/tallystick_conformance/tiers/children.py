"""Other processes that work on a store: started together, heard, and ended."""

import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from tallystick import Backend, TallystickError

from ..case import Case, NotRun
from ..raised import origin
from ..signals import spared
from ..target import MakeBackend
from .parcel import Parcel

PATIENCE = 60
"""Seconds that a process may take."""


_UNKNOWN = "another process cannot open it"


class Child(NamedTuple):
    """What a process is given: the packed `make` and its namespace, which of the processes it is, where all meet."""

    make: Parcel
    namespace: str
    number: int
    barrier: Any

    def open(self) -> Backend:
        """Open a client of the store."""
        make: MakeBackend = self.make.opened()
        return make(self.namespace)


class Heard(NamedTuple):
    """What a process told: its answer, or the error that ended it; `refused` where that was one of Tallystick."""

    answer: Any = None
    error: str = ""
    refused: bool = False


def require_sendable(case: Case) -> None:
    """Pass over a target that cannot be opened by another process."""
    _sent(case.target.make)
    program = getattr(sys.modules["__main__"], "__file__", None)
    if program is not None and not Path(program).exists():  # each process begins by importing it
        raise NotRun(f"no other process can be started by a program that is not a file: {program}")


def _sent(make: MakeBackend) -> Parcel:
    try:
        return Parcel.of(make)
    except Exception as exc:
        raise NotRun(f"make_backend cannot be sent to another process: {exc}") from exc


def heard(case: Case, work: Callable[[Child], Any], count: int = 1, *, method: str = "spawn") -> list[Heard]:
    """Let processes work on the store of a case, and return what each told. Each then dies without closing anything.

    Raises:
        NotRun: They cannot open it: its module can be neither imported by its name nor loaded from its file.
    """
    make = _sent(case.target.make)
    context: Any = multiprocessing.get_context(method)
    barrier, processes, ears = context.Barrier(count), [], []
    try:
        for number in range(count):
            ear, mouth = context.Pipe(duplex=False)
            child = Child(make, case.namespace, number, barrier)
            process = context.Process(target=_tell, args=(work, child, mouth), daemon=True)
            with spared():
                process.start()
            mouth.close()
            processes.append(process)
            ears.append(ear)
        told = list(map(_hear, ears))
    finally:
        for process in processes:
            process.kill()
            process.join()
    if told[0].error.startswith(_UNKNOWN):
        raise NotRun(told[0].error)
    return told


def forked(case: Case, work: Callable[[Child], Any], count: int = 1) -> list[Heard]:
    """Let forks of this process work on the store of a case, and return what each told."""
    if "fork" not in multiprocessing.get_all_start_methods():
        raise NotRun("this platform has no fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads: that it works is the point
        return heard(case, work, count, method="fork")


def _tell(work: Callable[[Child], Any], child: Child, mouth: Connection) -> NoReturn:
    mouth.send(_worked(work, child))
    os._exit(0)  # as if it were killed: what it has not closed, stays so


def _worked(work: Callable[[Child], Any], child: Child) -> Heard:
    try:
        child.make.opened()
    except Exception as exc:
        return Heard(error=f"{_UNKNOWN}: {exc!r}")
    try:
        return Heard(work(child))
    except Exception as exc:
        return Heard(error=f"{exc!r}, raised {origin(exc)}", refused=isinstance(exc, TallystickError))


def _hear(ear: Connection) -> Heard:
    try:
        told: Heard = ear.recv() if ear.poll(PATIENCE) else Heard(error=f"no answer within {PATIENCE} s")
    except EOFError:
        told = Heard(error="the process ended without an answer")
    return told

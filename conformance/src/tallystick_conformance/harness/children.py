"""Other processes that work on a store: start them together, collect their results, and end them."""

import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from tallystick import Backend, ConfigurationError, TallystickError

from ..subject.exceptions import origin
from ..subject.target import MakeBackend
from .case import Case, NotRun
from .parcel import Parcel

PATIENCE = 60
"""Seconds that a process may take."""


_UNKNOWN = "another process cannot open it"


class UnguardedProgram(ConfigurationError):
    """A new process cannot import the main program, most likely because the program then runs the kit again."""

    def __init__(self) -> None:
        program = getattr(sys.modules["__main__"], "__file__", "the main program")
        super().__init__(
            f"the kit starts other processes, which cannot import {program}; put the code that calls the kit under "
            'if __name__ == "__main__":'
        )


def require_guarded() -> None:
    """Reject a run of the kit in a process that has just started and still imports the main program.

    Raises:
        UnguardedProgram: The main program calls the kit whenever it is imported.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # multiprocessing itself checks this flag
        raise UnguardedProgram


class Child(NamedTuple):
    """What a process receives: the packed `make`, the namespace, its number, and a barrier shared by all processes."""

    make: Parcel
    namespace: str
    number: int
    barrier: Any

    def open(self) -> Backend:
        """Open a client of the store."""
        make: MakeBackend = self.make.opened()
        return make(self.namespace)


class ChildResult(NamedTuple):
    """The result of a process, or the error that ended it. `rejected` means that the error was a TallystickError."""

    value: Any = None
    error: str = ""
    rejected: bool = False


def require_sendable(case: Case) -> None:
    """Raise NotRun if another process cannot open the target."""
    sendable(case.target.make)


def sendable(make: MakeBackend) -> Parcel:
    """Pack a function that opens the target for another process.

    Raises:
        NotRun: Another process cannot start, or cannot open the target.
    """
    parcel = _sent(make)
    program = getattr(sys.modules["__main__"], "__file__", None)
    if program is not None and not Path(program).exists():  # each process begins by importing it
        raise NotRun(f"cannot start another process, because the main program is not a file: {program}")
    return parcel


def _sent(make: MakeBackend) -> Parcel:
    try:
        return Parcel.of(make)
    except Exception as exc:
        raise NotRun(f"make_backend cannot be sent to another process: {exc}") from exc


def run_in_processes(
    case: Case, work: Callable[[Child], Any], count: int = 1, *, method: str = "spawn"
) -> list[ChildResult]:
    """Run `work` in new processes on the store of a case, and return their results.

    Each process then exits without closing anything.

    Raises:
        NotRun: A process can neither import the target's module by its name nor load it from its file.
        UnguardedProgram: A new interpreter cannot import the main program.
    """
    make = _sent(case.target.make)
    context: Any = multiprocessing.get_context(method)
    barrier, processes, receivers = context.Barrier(count), [], []
    try:
        for number in range(count):
            receiver, sender = context.Pipe(duplex=False)
            child = Child(make, case.namespace, number, barrier)
            process = context.Process(target=_SEND[method], args=(work, child, sender), daemon=True)
            processes.append(process)  # before the start, so that an interrupt after it leaves no process
            with spared():
                process.start()
            sender.close()
            receivers.append(receiver)
        results = [_receive(receiver, method) for receiver in receivers]
    finally:
        for process in processes:
            if process.pid is not None:
                process.kill()
                process.join()
    if results[0].error.startswith(_UNKNOWN):
        raise NotRun(results[0].error)
    return results


def run_in_forks(case: Case, work: Callable[[Child], Any], count: int = 1) -> list[ChildResult]:
    """Run `work` in forks of this process on the store of a case, and return their results."""
    if "fork" not in multiprocessing.get_all_start_methods():
        raise NotRun("this platform has no fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the examples fork next to threads on purpose
        return run_in_processes(case, work, count, method="fork")


def _send(work: Callable[[Child], Any], child: Child, sender: Connection) -> NoReturn:
    sender.send(_worked(work, child))
    os._exit(0)  # exits like a killed process, which closes nothing


def _start_and_send(work: Callable[[Child], Any], child: Child, sender: Connection) -> NoReturn:
    sender.send(None)  # see `require_started`
    _send(work, child, sender)


_SEND = {"fork": _send, "spawn": _start_and_send}


def _worked(work: Callable[[Child], Any], child: Child) -> ChildResult:
    try:
        child.make.opened()
    except Exception as exc:
        return ChildResult(error=f"{_UNKNOWN}: {exc!r}")
    try:
        return ChildResult(work(child))
    except Exception as exc:
        return ChildResult(error=f"{exc!r}, raised {origin(exc)}", rejected=isinstance(exc, TallystickError))


def _receive(receiver: Connection, method: str) -> ChildResult:
    try:
        if method == "spawn":
            require_started(receiver)
        result: ChildResult = (
            receiver.recv() if receiver.poll(PATIENCE) else ChildResult(error=f"no result within {PATIENCE} s")
        )
    except EOFError:
        result = ChildResult(error="the process ended without a result")
    return result


def require_started(receiver: Connection) -> None:
    """Wait for the first message of a new interpreter, which it sends once it has imported the main program.

    Raises:
        UnguardedProgram: It ended without the message.
    """
    try:
        receiver.recv()
    except EOFError:
        raise UnguardedProgram from None


@contextmanager
def spared() -> Iterator[None]:
    """Block SIGINT in the processes started here, so that a Ctrl-C makes them print no traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

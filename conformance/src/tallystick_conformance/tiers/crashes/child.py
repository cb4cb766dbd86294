"""Child processes that each make one call on a store, and kill themselves before one of its steps or after it.

The fork server is a new interpreter that calls `main`. It has imported everything and has no thread and no open store.
For each `Death` that it reads, it forks a child that makes the call and dies. Without fork, it makes the call itself.
"""

import os
import pickle
import signal
import sys
from typing import IO, NamedTuple, NoReturn

from ...gates.observer import StepObserver
from ...subject.target import MakeBackend, Target
from ..schedules.play import connected
from ..schedules.program import Call

PATIENCE = 60
"""Seconds after which a process that has not died is killed."""


class Death(NamedTuple):
    """A call to make, and the step at which to die.

    Args:
        make: Opens a client; `name` and `url` are those of the target.
        steps: The steps to count.
        call: The call to make.
        before: The step before which to die, counted from 1; 0 means after the result was sent.
    """

    make: MakeBackend
    name: str
    url: str | None
    namespace: str
    steps: StepObserver
    call: Call
    before: int


class ChildReport(NamedTuple):
    """What a child reports: the result and the number of steps of its call, or why it could not make the call."""

    result: object = None
    steps: int = 0
    failure: str = ""


def make_call_and_die(death: Death, reports: IO[bytes]) -> NoReturn:
    """Make the call, report its result, and die."""
    steps = _Countdown(death.before)
    with death.steps.armed(steps.take):
        death.make(death.namespace).close()  # may install a mutant, which the client below may bypass
        client = death.steps.client(Target(death.make, death.name, death.url), death.namespace, "w")
        if death.call.method != "setup":
            connected(client)
        steps.begin()
        with death.steps.watched():
            result = getattr(client, death.call.method)(*death.call.args, **death.call.kwargs)
        _send(reports, ChildReport(result, steps.end()))
        _die()


class _Countdown:
    """Counts steps, and kills the process before one of them."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._taken = -1

    def begin(self) -> None:
        self._taken = 0

    def take(self, _: str | None) -> None:
        if self._taken >= 0:
            self._taken += 1
            if self._taken == self._last:
                _die()

    def end(self) -> int:
        taken, self._taken = self._taken, -1
        return taken


def _die() -> NoReturn:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows, SIGTERM ends a process at once too
    raise AssertionError("dead")


def _send(reports: IO[bytes], report: ChildReport) -> None:
    pickle.dump(report, reports)
    reports.flush()


def _run_child(death: Death, reports: IO[bytes]) -> NoReturn:
    if hasattr(signal, "alarm"):
        signal.alarm(PATIENCE)
    try:
        make_call_and_die(death, reports)
    except Exception as exc:
        _send(reports, ChildReport(failure=repr(exc)))
    finally:
        os._exit(1)


def main() -> None:
    """Read deaths and run each in a child.

    Write the child's report, if it sends one, and an empty one once it is dead.
    """
    requests, reports = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # keeps printed text out of the reports
    while True:
        try:
            sys.path[:], parcel = pickle.load(requests)  # noqa: S301 - from our parent
        except EOFError:
            return
        try:
            death: Death = parcel.opened()
        except Exception as exc:
            _send(reports, ChildReport(failure=repr(exc)))
        else:
            pid = os.fork() if hasattr(os, "fork") else 0
            if pid == 0:
                _run_child(death, reports)
            os.waitpid(pid, 0)
        _send(reports, ChildReport())

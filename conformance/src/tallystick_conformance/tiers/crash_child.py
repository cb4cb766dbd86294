"""Processes that die: each makes one call on a store, and kills itself before one of the call's steps, or after it.

A new interpreter that calls `main` is where they come from. It has imported everything, has no thread and no store, and
lets a fork live and die for each `Death` that it reads; where there is no fork it dies itself.
"""

import os
import pickle
import signal
import sys
from typing import IO, NamedTuple, NoReturn

from ..gates.steps import Steps
from ..schedules.play import connected
from ..schedules.program import Call
from ..target import MakeBackend, Target

PATIENCE = 60
"""Seconds after which a process that has not died yet is killed."""


class Death(NamedTuple):
    """What to do, and when to die.

    Args:
        make: Opens a client; `name` and `url` are those of the target.
        steps: Which steps to count.
        call: What to do.
        before: The step before which to die, counted from 1; 0 is after the answer was told.
    """

    make: MakeBackend
    name: str
    url: str | None
    namespace: str
    steps: Steps
    call: Call
    before: int


class Word(NamedTuple):
    """What a process tells: the answer and in how many steps it came; or why it could not begin."""

    answer: object = None
    steps: int = 0
    excuse: str = ""


def live(death: Death, told: IO[bytes]) -> NoReturn:
    """Make the call, tell its answer, and die."""
    steps = _Countdown(death.before)
    with death.steps.armed(steps.take):
        death.make(death.namespace).close()  # a mutant may patch this process as it is opened, and steps may pass it by
        client = death.steps.client(Target(death.make, death.name, death.url), death.namespace, "w")
        if death.call.method != "setup":
            connected(client)
        steps.begin()
        with death.steps.watched():
            answer = getattr(client, death.call.method)(*death.call.args, **death.call.kwargs)
        _tell(told, Word(answer, steps.end()))
        _die()


class _Countdown:
    """Counts steps, and dies before one of them."""

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
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows either ends it at once
    raise AssertionError("dead")


def _tell(told: IO[bytes], word: Word) -> None:
    pickle.dump(word, told)
    told.flush()


def _born(death: Death, told: IO[bytes]) -> NoReturn:
    if hasattr(signal, "alarm"):
        signal.alarm(PATIENCE)
    try:
        live(death, told)
    except Exception as exc:
        _tell(told, Word(excuse=repr(exc)))
    finally:
        os._exit(1)


def main() -> None:
    """Serve one death after another; after each word, or none, an empty one tells that the process is dead."""
    requests, told = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that nothing that is printed is taken for a word
    while True:
        try:
            sys.path[:], parcel = pickle.load(requests)  # noqa: S301 - from our parent
        except EOFError:
            return
        try:
            death: Death = parcel.opened()
        except Exception as exc:
            _tell(told, Word(excuse=repr(exc)))
        else:
            pid = os.fork() if hasattr(os, "fork") else 0
            if pid == 0:
                _born(death, told)
            os.waitpid(pid, 0)
        _tell(told, Word())

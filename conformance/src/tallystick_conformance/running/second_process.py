"""A second process, which judges some of the clauses of a run while the first process judges the others."""

import multiprocessing
import pickle
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from threading import Event, Thread
from typing import NamedTuple

from tallystick import Capabilities

from ..contract.ways import Way
from ..harness.children import require_started, spared
from ..harness.interrupts import as_interrupts, interrupt_main_thread
from ..harness.parcel import Parcel
from ..harness.profiles import Profile
from ..harness.violation import Violation
from ..reports.result import Result
from ..subject.target import Target
from .session import Session

PATIENCE = 10
"""Seconds that the process has to remove its stores, before it is killed."""

_LOOK = 1.0
"""Seconds between two calls of `on_wait`."""


class Work(NamedTuple):
    """What the process receives: the clauses to judge by examples and by generated programs, and its session."""

    examples: Sequence[str]
    programs: Sequence[str]
    make: Parcel
    name: str
    url: str | None
    profile: Profile
    capabilities: Capabilities
    known: Mapping[str, str]
    everything: bool
    first: Mapping[str, str]

    def session(self) -> Session:
        """Create the session, whose stores have names of their own."""
        target = Target(self.make.opened(), self.name, self.url)
        return Session(target, self.profile, self.capabilities, self.known, self.everything, first=dict(self.first))


class Programs(NamedTuple):
    """The results of the generated programs, and the transitions that they covered."""

    results: Sequence[Result]
    ways: Collection[Way]


Answer = Result | Programs | None
"""The result of an example's clause, then one `Programs`; None if the process has ended before."""


@contextmanager
def second_process(work: Work, on_wait: Callable[[], None]) -> Iterator[Callable[[], Answer]]:
    """Start the process, and yield a function that waits for its next answer. At the end of the block, end the process.

    Raises:
        UnguardedProgram: The process cannot import the main program.
    """
    context = multiprocessing.get_context("spawn")
    pipe, its_pipe = context.Pipe()
    process = context.Process(target=judge, args=(work, its_pipe), daemon=True)
    try:
        with spared():
            process.start()
        its_pipe.close()
        require_started(pipe)
        yield partial(_next_answer, pipe, on_wait)
    finally:
        pipe.close()  # then the process ends early
        if process.pid is not None:
            process.join(PATIENCE)
            process.kill()
            process.join()


def _next_answer(pipe: Connection, on_wait: Callable[[], None]) -> Answer:
    try:
        while not pipe.poll(_LOOK):
            on_wait()
        answer: Answer = pipe.recv()
    except (EOFError, OSError):
        return None
    return answer


def judge(work: Work, pipe: Connection) -> None:
    """Judge the clauses, and send each answer. End early if the first process closes the pipe or ends."""
    pipe.send(None)  # see `require_started`
    session, is_over = work.session(), Event()
    interrupt: BaseException | None = None
    with as_interrupts():
        try:
            Thread(target=_interrupt_at_close, args=(pipe, is_over), daemon=True).start()
            for id in work.examples:
                pipe.send(portable(session.examples(id)))
            pipe.send(Programs([*map(portable, session.programs(work.programs))], session.ways))
        except (Exception, KeyboardInterrupt) as exc:  # the first process judges what is left
            interrupt = exc
        is_over.set()
        session.target.clean(interrupt)


def _interrupt_at_close(pipe: Connection, is_over: Event) -> None:
    """Interrupt the main thread once. A second time could end it while it removes its stores."""
    pipe.poll(None)  # the first process sends nothing
    if not is_over.is_set():
        interrupt_main_thread()


def portable(result: Result) -> Result:
    """Return a result that can be pickled, if necessary with a program that is only text."""
    result = replace(result, error=None)
    try:
        pickle.loads(pickle.dumps(result))  # noqa: S301 - ours
    except Exception:  # the arguments or results of the backend's calls may be of any type
        return replace(result, violation=result.violation and _as_text(result.violation))
    return result


def _as_text(violation: Violation) -> Violation:
    steps = [str(step) for step in violation.steps]
    text = Violation(violation.clause_id, violation.expected, violation.observed, steps)
    text.raised = violation.raised
    return text

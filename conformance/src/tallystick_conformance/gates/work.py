"""The work of a call, counted in steps. Unlike its time, it does not depend on the machine's load."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tallystick import Backend

from ..subject.target import Target
from .choice import steps_seen
from .observer import OnStep, StepObserver
from .statements import Statements

_INSTRUCTIONS = 10


class Instructions(Statements):
    """Each ten instructions of SQLite's virtual machine are a step.

    A scan needs many of them, but only one statement.
    """

    def watch(self, connection: Any, on_step: OnStep) -> None:
        """Count the instructions of a connection."""
        connection.set_progress_handler(lambda: on_step(None), _INSTRUCTIONS)


class Meter(NamedTuple):
    """A client of a store, and a function that counts the steps of a call."""

    client: Backend
    count: Callable[[Callable[[], object]], int]


@contextmanager
def metered(target: Target, namespace: str) -> Iterator[Meter | None]:
    """Open a client whose steps can be counted, or yield None if the kit sees no steps of the backend."""
    steps = _finest(steps_seen(target))
    if steps is None:
        yield None
        return
    taken: list[str | None] = []

    def count(call: Callable[[], object]) -> int:
        taken.clear()
        with steps.watched():
            call()
        return len(taken)

    with steps.armed(taken.append), steps.client(target, namespace, "w") as client:
        yield Meter(client, count)


def _finest(steps: StepObserver | None) -> StepObserver | None:
    return Instructions() if isinstance(steps, Statements) else steps

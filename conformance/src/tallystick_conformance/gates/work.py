"""The work of a call, counted: it is the same however busy the machine is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tallystick import Backend

from ..target import Target
from .choice import steps_seen
from .statements import Statements
from .steps import OnStep, Steps

_INSTRUCTIONS = 10


class Instructions(Statements):
    """Each ten instructions of SQLite's virtual machine: a scan shows in them, and not in the number of statements."""

    def watch(self, connection: Any, on_step: OnStep) -> None:
        """Count the instructions of a connection."""
        connection.set_progress_handler(lambda: on_step(None), _INSTRUCTIONS)


class Meter(NamedTuple):
    """A client of a store, and how to count the steps of a call of it."""

    client: Backend
    count: Callable[[Callable[[], object]], int]


@contextmanager
def metered(target: Target, namespace: str) -> Iterator[Meter | None]:
    """Open a client whose work can be counted; None where the kit sees no steps of the backend."""
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


def _finest(steps: Steps | None) -> Steps | None:
    return Instructions() if isinstance(steps, Statements) else steps

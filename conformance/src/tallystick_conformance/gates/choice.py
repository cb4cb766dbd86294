"""The choice of the steps to observe, which depends on the backend."""

from ..subject.target import Target
from .chunks import Chunks, server_of
from .lines import Lines
from .observer import StepObserver
from .statements import Statements


class NoSteps(Exception):
    """The kit sees no steps of this backend. The message lists where it looked."""


def steps_of(target: Target) -> StepObserver:
    """Return the coarsest steps that the kit sees when it uses a client.

    Raises:
        NoSteps: It sees none.
    """
    with target.fresh() as (namespace, backend):
        candidates: list[StepObserver] = [Statements(), Lines(type(backend))]
        if server_of(target.url) is not None:
            candidates.insert(0, Chunks(type(backend)))
        for steps in candidates:
            if _are_seen(steps, target, namespace):
                return steps
    raise NoSteps("neither a host and port in the URL, nor SQLite statements, nor lines of Python in its package")


def steps_seen(target: Target) -> StepObserver | None:
    """Return the coarsest steps that the kit sees when it uses a client, or None if it sees none."""
    try:
        return steps_of(target)
    except NoSteps:
        return None


def _are_seen(steps: StepObserver, target: Target, namespace: str) -> bool:
    seen: list[str | None] = []
    with steps.armed(seen.append), steps.client(target, namespace, "w") as client, steps.watched():
        client.queues()
    return bool(seen)

"""The interface between a gate and a backend: a call before each of the backend's steps."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

from tallystick import Backend

from ..subject.target import Target

OnStep = Callable[[str | None], None]
"""Called before each step, in the thread that takes it. It may hold that thread.

The argument is the worker that takes the step, or None for the worker of the calling thread.
"""


class StepObserver(ABC):
    """A way to observe the steps of a backend."""

    share: ClassVar[float] = 0.5
    """The share of steps at which random pre-emption holds a worker: about one step of each call, or a few."""

    by_thread: ClassVar[bool] = True
    """Whether the thread identifies the worker of a step. If not, the client does."""

    @abstractmethod
    def armed(self, on_step: OnStep) -> AbstractContextManager[None]:
        """Observe the steps of the clients that are opened in this block."""

    def client(self, target: Target, namespace: str, worker: str) -> Backend:
        """Open a client for a worker, so that its steps are the worker's."""
        return target.make(namespace)

    def watched(self) -> AbstractContextManager[None]:
        """Observe the steps of the calling thread within the block."""
        return nullcontext()

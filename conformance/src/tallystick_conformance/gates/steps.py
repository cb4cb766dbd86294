"""What a gate needs to know of a backend: when it is about to take a step."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

from tallystick import Backend

from ..target import Target

OnStep = Callable[[str | None], None]
"""Called before each step, in the thread that takes it, and may hold it there.

The argument is the worker whose step it is, or None where that is the worker of the calling thread.
"""


class Steps(ABC):
    """One way to see the steps of a backend, whatever it is."""

    share: ClassVar[float] = 0.5
    """How many of them random pre-emption holds: about one in each call, or a few."""

    by_thread: ClassVar[bool] = True
    """Whether a step is known to be a worker's by its thread, and not by its client."""

    @abstractmethod
    def armed(self, on_step: OnStep) -> AbstractContextManager[None]:
        """See the steps of the clients that are opened in this block."""

    def client(self, target: Target, namespace: str, worker: str) -> Backend:
        """Open a client whose steps are those of a worker."""
        return target.make(namespace)

    def watched(self) -> AbstractContextManager[None]:
        """See the steps of the calling thread."""
        return nullcontext()

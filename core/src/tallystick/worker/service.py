"""Run a step repeatedly in a thread, until stopped."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from threading import Event, Thread

from ..errors import BackendError
from ..messages.safe_logging import exc_info, safe_logger
from ..messages.safe_repr import safe_repr
from .pauses import doubling

logger = safe_logger("tallystick.worker")

_FIRST_PAUSE = 0.1

STOP_SECONDS = 5.0
"""How long the end of a stop waits for calls to a store that may not respond."""


class Steps:
    """Repeats a step until stopped. If a step raises, the error is logged, and the next step follows after a pause.

    The pause doubles with each error, up to `longest_pause`, in seconds.
    """

    def __init__(self, name: str, step: Callable[[], None], *, longest_pause: float = 5.0) -> None:
        self.name = f"tallystick-{name}"
        self.stopping = Event()
        self._step = step
        self._longest_pause = longest_pause
        self._pauses = self._new_pauses()

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Repeat the step until stopped, or until a condition is true after a step."""
        while not self.stopping.is_set():
            self.take(self._step)
            if until():
                return

    def take(self, step: Callable[[], None]) -> None:
        """Take a step. Never raises."""
        try:
            step()
            self._pauses = self._new_pauses()
        except BaseException as exc:  # SystemExit from a hook or a backend must not end the thread
            traceback = None if issubclass(type(exc), BackendError) else exc_info(exc)
            text, pause = safe_repr(exc), next(self._pauses)
            logger.warning("%s: %s; next try in %.1f s", self.name, text, pause, exc_info=traceback)
            self.stopping.wait(pause)

    def _new_pauses(self) -> Iterator[float]:
        return doubling(_FIRST_PAUSE, self._longest_pause)


class Service:
    """A thread that repeats a step, as `Steps` does. Each step runs inside the context manager `inside`.

    When stopped, the thread calls `last` once.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], None],
        inside: Callable[[], AbstractContextManager[object]],
        *,
        longest_pause: float = 5.0,
        last: Callable[[], None] = lambda: None,
    ) -> None:
        self._woken = Event()
        self._last = last
        self._inside = inside
        self._steps = Steps(name, step, longest_pause=longest_pause)
        self.stopping = self._steps.stopping
        self._thread = Thread(target=self._run, name=self._steps.name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread.is_alive()

    def pause(self, seconds: float) -> None:
        """Pause the step until `wake` or a stop. A `wake` since the previous pause ends it at once."""
        self._woken.wait(seconds)
        if not self.stopping.is_set():
            self._woken.clear()

    def wake(self) -> None:
        """End the pause."""
        self._woken.set()

    def begin_stop(self) -> None:
        """Start no further step."""
        self.stopping.set()
        self._woken.set()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Start no further step, and wait for the current one; abandon it if the store does not respond in time."""
        self.begin_stop()
        if self._thread.is_alive():
            self._thread.join(max(0.0, seconds))

    def _run(self) -> None:
        with self._inside():
            self._steps.run()
            self._steps.take(self._last)

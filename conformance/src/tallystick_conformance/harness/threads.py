"""Make calls at the same moment, each in its own thread."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Barrier, Thread
from typing import Generic, Protocol, TypeVar

AnswerT = TypeVar("AnswerT")


class Holder(Protocol):
    """Delays threads before their steps."""

    def worker(self, name: str) -> AbstractContextManager[object]:
        """Return a context manager for the work of one thread."""


def together(*calls: Callable[[], AnswerT], hold: Holder | None = None) -> list[AnswerT]:
    """Make calls at the same time, and return their results in order; raise the first error, if any.

    Args:
        calls: Each runs in its own thread, as the worker `w0`, `w1` and so on.
        hold: Delays the threads now and then. Without it, the interpreter switches threads as often as possible.
    """
    barrier = Barrier(len(calls))
    answers: dict[int, AnswerT] = {}
    errors: list[BaseException] = []

    def run(index: int, call: Callable[[], AnswerT]) -> None:
        barrier.wait()
        try:
            with hold.worker(f"w{index}") if hold is not None else nullcontext():
                answers[index] = call()
        except BaseException as exc:
            errors.append(exc)

    threads = [Thread(target=run, args=pair) for pair in enumerate(calls)]
    with switching_often() if hold is None else nullcontext():
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:  # after an interrupt too: the calls must end before the store is removed
            for thread in threads:
                thread.join()
    if errors:
        raise errors[0]
    return [answers[index] for index in range(len(calls))]


class Beside(Generic[AnswerT]):
    """A call that runs in its own thread."""

    def __init__(self, call: Callable[[], AnswerT]) -> None:
        """Start the call."""
        self._call = call
        self._answer: list[AnswerT] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answer.append(self._call())
        except BaseException as exc:
            self._error = exc

    def answer(self, seconds: float | None = None) -> AnswerT:
        """Wait for the call; return its result or raise its error.

        Raises:
            TimeoutError: The call has not ended within `seconds`.
        """
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error
        if not self._answer:
            raise TimeoutError(f"a call did not return within {seconds} s")
        return self._answer[0]


@contextmanager
def switching_often() -> Iterator[None]:
    """Make the interpreter switch threads every few instructions, not every 5 ms, so that steps interleave."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)

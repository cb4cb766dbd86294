"""Calls that start at the same moment, each in a thread of its own."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Barrier, Thread
from typing import Generic, Protocol, TypeVar

AnswerT = TypeVar("AnswerT")


class Holder(Protocol):
    """What may hold threads before their steps."""

    def worker(self, name: str) -> AbstractContextManager[object]:
        """Return what a thread does its work within."""


def together(*calls: Callable[[], AnswerT], hold: Holder | None = None) -> list[AnswerT]:
    """Make calls at once, and return their answers in the order given; raise the first error, if one did.

    Args:
        calls: Each is made in a thread of its own, the worker `w0`, `w1` and so on.
        hold: What holds the threads now and then; without it they are switched as often as can be.
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
        finally:  # an interrupt waits for the calls too, or they would meet a store that is being removed
            for thread in threads:
                thread.join()
    if errors:
        raise errors[0]
    return [answers[index] for index in range(len(calls))]


class Beside(Generic[AnswerT]):
    """A call that goes on in a thread of its own."""

    def __init__(self, call: Callable[[], AnswerT]) -> None:
        """Begin it."""
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
        """Return its answer, or raise its error.

        Raises:
            TimeoutError: It has neither within so many seconds.
        """
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error
        if not self._answer:
            raise TimeoutError(f"a call had no answer within {seconds} s")
        return self._answer[0]


@contextmanager
def switching_often() -> Iterator[None]:
    """Let the interpreter change threads every few instructions, not every 5 ms, so that steps interleave."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)

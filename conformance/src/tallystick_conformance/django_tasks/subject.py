"""The backend under test: enqueue a task on it, and let its worker run."""

import time
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from functools import partial
from typing import Any, Protocol
from unittest import SkipTest

from django.tasks import task_backends
from django.tasks.base import Task, TaskResult

_PAUSE = 0.02  # seconds between two looks at a result


class NotApplicable(SkipTest):
    """The backend does not have the feature of a clause, and Django's documentation lets it be so."""


class Worker(Protocol):
    """The methods and settings of a test class that a clause needs."""

    worker_in_process: bool
    patience: timedelta

    def work(self) -> None:
        """Run the tasks that are due, or start a worker."""

    def rest(self) -> None:
        """Stop the worker."""


class Subject:
    """A backend of `django.tasks` by its alias in the setting TASKS, and the worker of its tasks."""

    def __init__(self, alias: str, worker: Worker) -> None:
        self.alias = alias
        self.worker = worker

    @property
    def backend(self) -> Any:
        """The backend, as Django creates it."""
        return task_backends[self.alias]

    def on(self, task: Task, **changes: Any) -> Any:
        """Return a task for this backend."""
        return task.using(backend=self.alias, **changes)

    def enqueue(self, task: Task, *args: object, **kwargs: object) -> TaskResult:
        """Enqueue a task on this backend."""
        return self.on(task).enqueue(*args, **kwargs)

    def run(self, task: Task, *args: object, **kwargs: object) -> TaskResult:
        """Enqueue a task, and return its result when it has finished."""
        return self.finish(self.enqueue(task, *args, **kwargs))

    def finish(self, *results: TaskResult) -> TaskResult:
        """Let the worker run until these tasks have finished, and return the last result, refreshed."""
        if not all(result.is_finished for result in results):
            if not self.backend.supports_get_result:
                raise NotApplicable("tasks run later, and without supports_get_result the kit cannot see their results")
            self.worker.work()
            try:
                for result in results:
                    self.wait(partial(_is_finished, result), f"the task {result.id} finishes")
            finally:
                self.worker.rest()
        return results[-1]

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds.

        Raises:
            AssertionError: it does not hold in time.
        """
        end = time.monotonic() + self.worker.patience.total_seconds()
        while not condition():
            if time.monotonic() >= end:
                raise AssertionError(f"waited {self.worker.patience} in vain until {what}")
            time.sleep(_PAUSE)

    def waiting(self, task: Task, *args: object) -> TaskResult:
        """Enqueue a task that must wait for a worker.

        Raises:
            NotApplicable: The backend runs tasks when they are enqueued.
        """
        result = self.enqueue(task, *args)
        if result.is_finished:
            raise NotApplicable("the backend runs tasks when they are enqueued")
        return result

    def invalid(self, task: Task, **changes: object) -> Any:
        """Return a task with attributes that Django's `using` would reject."""
        changed = copy(self.on(task))
        for name, value in changes.items():
            object.__setattr__(changed, name, value)  # a Task is frozen
        return changed


def _is_finished(result: TaskResult) -> bool:
    if not result.is_finished:
        result.refresh()
    return bool(result.is_finished)


def expect(what: str, observed: object, expected: object) -> None:
    """Fail unless a value is the expected one.

    Raises:
        AssertionError: it is another one.
    """
    if type(observed) is not type(expected) or observed != expected:
        raise AssertionError(f"{what} is {observed!r}; expected {expected!r}")


def expect_raises(error: type[Exception], what: str, call: Callable[[], object]) -> None:
    """Fail unless a call raises an error.

    Raises:
        AssertionError: it returned, or raised another error.
    """
    try:
        returned = call()
    except error:
        return
    except Exception as exc:
        raise AssertionError(f"{what} raises {exc!r}; expected {error.__name__}") from exc
    raise AssertionError(f"{what} returns {returned!r}; expected {error.__name__}")

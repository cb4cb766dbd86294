"""Our backend in the place of Django's two, so that Django's own tests of these test ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from unittest import mock

from asgiref.sync import sync_to_async
from django.tasks.backends import dummy, immediate
from django.tasks.base import Task, TaskResult
from tallystick import Filter
from tallystick.testing import JobTester, manual
from tallystick_django import get_runner
from tallystick_django.tasks import TallystickTasks


class InPlaceOfImmediate(TallystickTasks):
    """Runs each task when it is enqueued."""

    jobs: ClassVar[JobTester]

    def enqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        """Store a task, run it, and return its result."""
        return self._run(super().enqueue(task, args, kwargs))

    async def aenqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        """Do as `enqueue` does."""
        result: TaskResult = await sync_to_async(self._run)(await super().aenqueue(task, args, kwargs))
        return result

    def _run(self, result: TaskResult) -> TaskResult:
        self.jobs.drain(raises=False)
        result.refresh()
        return result


class InPlaceOfDummy(TallystickTasks):
    """Stores tasks that no worker runs, and lists them as Django's backend does."""

    @property
    def results(self) -> list[TaskResult]:
        """The results, the first enqueued first."""
        stored = get_runner().backend.list(Filter(), limit=100)
        return [self.get_result(str(record.id)) for record in reversed(stored)]

    def clear(self) -> None:
        """Delete all tasks."""
        get_runner().delete(Filter())


@contextmanager
def in_place() -> Iterator[None]:
    """Replace both backends of Django until the block ends."""
    with (
        manual(get_runner()) as jobs,
        mock.patch.object(InPlaceOfImmediate, "jobs", jobs, create=True),
        mock.patch.object(immediate, "ImmediateBackend", InPlaceOfImmediate),
        mock.patch.object(dummy, "DummyBackend", InPlaceOfDummy),
    ):
        yield

"""A small backend of `django.tasks` in memory that keeps each clause. The mutants change one method each."""

from copy import deepcopy
from traceback import format_exception
from typing import Any, ClassVar
from uuid import uuid4

from django.tasks.backends.base import BaseTaskBackend
from django.tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
from django.tasks.exceptions import TaskResultDoesNotExist
from django.tasks.signals import task_enqueued, task_finished, task_started
from django.utils import timezone
from django.utils.json import normalize_json


def change(result: TaskResult, **values: object) -> None:
    """Set attributes of a result, which is frozen."""
    for name, value in values.items():
        object.__setattr__(result, name, value)


class Reference(BaseTaskBackend):
    """Keeps results in a dict of the class, because Django creates a backend for each thread."""

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    results: ClassVar[dict[str, TaskResult]] = {}

    def enqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        """Store a result that waits."""
        self.validate_task(task)
        result = self.new(task, normalize_json(args), normalize_json(kwargs))
        self.put(result)
        task_enqueued.send(self.sender(), task_result=result)
        return self.shown(result)

    def new(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        """Return the result of a task that waits."""
        return TaskResult(
            task=task,
            id=self.new_id(),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )

    def new_id(self) -> str:
        """Return an id."""
        return str(uuid4())

    def put(self, result: TaskResult) -> None:
        """Store a result."""
        self.results[result.id] = result

    def shown(self, result: TaskResult) -> TaskResult:
        """Return the result that the caller receives."""
        return deepcopy(result)

    def sender(self) -> object:
        """Return the sender of signals."""
        return type(self)

    def get_result(self, result_id: str) -> TaskResult:
        """Return a copy of a result."""
        if not self.supports_get_result:
            return super().get_result(result_id)
        try:
            return self.shown(self.results[result_id])
        except KeyError:
            raise TaskResultDoesNotExist(result_id) from None

    def work(self) -> None:
        """Run the tasks that are due."""
        for result in self.order([each for each in self.results.values() if self.is_due(each)]):
            self.run(result)

    def is_due(self, result: TaskResult) -> bool:
        """Return whether a task waits and its time has come."""
        after = result.task.run_after
        return result.status == TaskResultStatus.READY and (after is None or after <= timezone.now())

    def order(self, results: list[TaskResult]) -> list[TaskResult]:
        """Return results in the order in which they run."""
        return sorted(results, key=lambda result: -result.task.priority)

    def run(self, result: TaskResult) -> None:
        """Run a task, and store its end."""
        change(result, status=TaskResultStatus.RUNNING, started_at=timezone.now(), last_attempted_at=timezone.now())
        result.worker_ids.append("worker")
        task_started.send(self.sender(), task_result=result)
        try:
            value = self.value(self.call(result))
        except self.caught as exc:
            result.errors.append(self.error(exc))
            change(result, status=TaskResultStatus.FAILED, finished_at=timezone.now())
        else:
            change(result, status=TaskResultStatus.SUCCESSFUL, finished_at=timezone.now(), _return_value=value)
        self.finished(result)

    caught: ClassVar[type[BaseException]] = BaseException

    def value(self, returned: Any) -> Any:
        """Return the value to store."""
        return normalize_json(returned)

    def call(self, result: TaskResult) -> Any:
        """Call the function of a task."""
        context = [TaskContext(task_result=result)] if result.task.takes_context else []
        return result.task.call(*context, *result.args, **result.kwargs)

    def error(self, exc: BaseException) -> TaskError:
        """Describe an exception."""
        cls = type(exc)
        return TaskError(
            exception_class_path=f"{cls.__module__}.{cls.__qualname__}", traceback="".join(format_exception(exc))
        )

    def finished(self, result: TaskResult) -> None:
        """Send the signal of the end."""
        task_finished.send(self.sender(), task_result=result)


class Plain(Reference):
    """Supports nothing that it need not, and runs each task when it is enqueued."""

    supports_defer = False
    supports_async_task = False
    supports_get_result = False
    supports_priority = False

    def put(self, result: TaskResult) -> None:
        """Store and run."""
        super().put(result)
        self.run(result)

"""The class of tests: one method for each clause."""

from collections.abc import Callable
from datetime import timedelta

from .clauses import CLAUSES, TaskClause
from .registry import run_check
from .subject import Subject


class TaskBackendConformance:
    """Tests a backend of `django.tasks`. Inherit from this class and from `django.test.TransactionTestCase`."""

    task_backend = "default"
    """The alias of the backend in the setting TASKS."""
    worker_in_process = True
    """False if `work` runs tasks in another process: their signals are not tested then."""
    patience = timedelta(minutes=2)
    """How long a worker may take to finish a task."""

    def work(self) -> None:
        """Run the tasks that are due, or start a worker. Override it, unless `enqueue` runs tasks."""

    def rest(self) -> None:
        """Stop the worker that `work` started, if it still runs."""


def _test(clause: TaskClause) -> Callable[[TaskBackendConformance], None]:
    def test(self: TaskBackendConformance) -> None:
        run_check(clause.id, Subject(self.task_backend, self))

    test.__doc__ = f"{clause.id}: {clause.text}"
    test.__name__ = method_name(clause.id)
    return test


def method_name(clause: str) -> str:
    """Return the name of the test of a clause."""
    return f"test_{clause.lower().replace('-', '_')}"


for _clause in CLAUSES.values():
    setattr(TaskBackendConformance, method_name(_clause.id), _test(_clause))

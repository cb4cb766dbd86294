"""The kit's clauses for backends of `django.tasks`, with one test for each clause.

    from django.core.management import call_command
    from django.test import TransactionTestCase
    from tallystick_conformance.django_tasks import TaskBackendConformance

    class TestAcme(TaskBackendConformance, TransactionTestCase):
        def work(self):
            call_command("acme_worker", batch=True)

`manage.py test` runs such a class, and so does pytest with pytest-django. To run it alone and print a table, write
`python -m tallystick_conformance.django_tasks acme.tests.TestAcme`. The extra `django` installs Django 6.
"""

from typing import TYPE_CHECKING, Any

from .clauses import CLAUSES, TaskClause
from .report import TaskReport

if TYPE_CHECKING:
    from .suite import TaskBackendConformance

__all__ = ["CLAUSES", "TaskBackendConformance", "TaskClause", "TaskReport"]


def __getattr__(name: str) -> Any:
    if name == "TaskBackendConformance":  # imports Django
        from .suite import TaskBackendConformance  # noqa: PLC0415

        return TaskBackendConformance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The test class of each backend, which knows how to run its tasks."""

from contextlib import suppress

from django.core.management import call_command
from django.test import TransactionTestCase
from tallystick_conformance.django_tasks import TaskBackendConformance
from tallystick_django import get_runner


class Immediate(TaskBackendConformance, TransactionTestCase):
    """Django's own backend, which runs a task when it is enqueued."""


class Tallystick(TaskBackendConformance, TransactionTestCase):
    """Our backend, with a worker in this process."""

    def setUp(self) -> None:
        """Open the store for this test."""
        self.enterContext(get_runner())

    def work(self) -> None:
        """Start a worker."""
        get_runner().start()

    def rest(self) -> None:
        """Stop it."""
        get_runner().stop()


class DatabaseBackend(TaskBackendConformance, TransactionTestCase):
    """The backend of django-tasks-db."""

    def work(self) -> None:
        """Run its worker until no task is due."""
        call_command("db_worker", batch=True, interval=0, startup_delay=False, reload=False, verbosity=0)


class OxBackend(TaskBackendConformance, TransactionTestCase):
    """The backend of django-ox."""

    def work(self) -> None:
        """Run its worker until no task is due. The command ends with `sys.exit(0)`."""
        with suppress(SystemExit):
            call_command("ox_worker", batch=True, interval=0.01, verbosity=0)

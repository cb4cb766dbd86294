"""`manage.py tallystick_worker`: run jobs until SIGTERM."""

import sys
from typing import Any

import django
from django.core.management.base import BaseCommand, CommandParser

from ...project_runner import ProjectRunner, get_runner

UNRECORDED = 3
"""The exit code of a worker that could not record an outcome, as of `tallystick worker`."""


class Command(BaseCommand):
    """Runs the jobs of this project."""

    help = "Run the jobs of this project, and the tasks of django.tasks, until SIGTERM or SIGINT."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options of the command."""
        parser.add_argument("--queue", action="append", metavar="NAME", help="A queue to serve; repeat it for several.")
        parser.add_argument("--concurrency", type=int, help="How many sync handlers, and how many async ones, at once.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the worker. Its exit code is 3 if the store did not record an outcome."""
        runner = get_runner()
        if (queues := options["queue"] or _queues(runner)) is not None:
            runner.configure(queues=queues)
        if options["concurrency"] is not None:
            runner.configure(concurrency=options["concurrency"])
        self.stdout.write("tallystick: the worker runs; stop it with SIGTERM")
        if runner.run():
            sys.exit(UNRECORDED)


def _queues(runner: ProjectRunner) -> list[str] | None:
    """Return the queues of the jobs and of `django.tasks`; None if the settings name queues or there are no tasks."""
    if runner.settings.queues is not None or django.VERSION < (6, 0):
        return None
    from ...tasks import queues  # noqa: PLC0415  # Django 5 has no tasks

    return sorted(queues() | {definition.options.queue for definition in runner.definitions.values()})

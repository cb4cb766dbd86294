"""`manage.py tallystick_worker`: run jobs until SIGTERM."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...project_runner import get_runner

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
        if options["queue"] is not None:
            runner.configure(queues=options["queue"])
        if options["concurrency"] is not None:
            runner.configure(concurrency=options["concurrency"])
        self.stdout.write("tallystick: the worker runs; stop it with SIGTERM")
        if runner.run():
            sys.exit(UNRECORDED)

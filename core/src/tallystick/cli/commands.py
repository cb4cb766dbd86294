"""The built-in commands. The module of a command, which has its name, is imported when the command runs."""

from functools import cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand


class LazyCommand(TyperCommand):
    """A command, or a group of commands, that is imported when it runs. The root's help shows only its summary."""

    name: str

    def __init__(self, name: str, panel: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_help_panel=panel)

    @cached_property
    def loaded(self) -> Any:
        """The command itself, with its options."""
        module = import_module(f".{self.name}", __package__)
        parent = typer.Typer()
        if hasattr(module, "app"):
            parent.add_typer(module.app, name=self.name)
        else:
            parent.command(self.name, epilog=module.EXAMPLES)(getattr(module, self.name))
        return typer.main.get_group(parent).commands[self.name]

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Return a context of the command itself."""
        return self.loaded.make_context(*args, **extra)


BUILT_IN = (
    LazyCommand("demo", "Work", "Kill a worker in the middle of thousands of jobs, and check the books."),
    LazyCommand("worker", "Work", "Run jobs until SIGTERM or SIGINT."),
    LazyCommand("run", "Work", "Enqueue one job by hand. A worker runs it."),
    LazyCommand("jobs", "Operate", "Find, show, cancel, requeue, delete, update, export and import jobs."),
    LazyCommand("queues", "Operate", "List, pause and resume queues."),
    LazyCommand("schedules", "Operate", "List, show, pause, resume, remove and run schedules."),
    LazyCommand("workers", "Operate", "List the workers, and the jobs that each of them runs."),
    LazyCommand("stats", "Operate", "Count the jobs by state, by queue and by kind; or the attempts of a span."),
    LazyCommand("doctor", "Operate", "Check a store, and advise what to do."),
    LazyCommand("bench", "Operate", "Measure how fast a store is, beside its own limits on this machine."),
    LazyCommand("init", "Prepare", "Write a module with a runner and a first job into your project."),
    LazyCommand("setup", "Prepare", "Create the store, or migrate it. Safe to repeat."),
    LazyCommand("backends", "Prepare", "List the installed backends; with a URL, its backend and capabilities."),
    LazyCommand("config", "Prepare", "Show the settings, and where their values come from."),
    LazyCommand("new", "Prepare", "Write a job and its test into your project, or a new backend."),
)
"""The commands in the order of the help. The summary of each is the first line of its own help."""

"""The Django application: it registers the jobs of all other applications."""

from importlib import import_module
from typing import Any

import django
from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.module_loading import module_has_submodule
from tallystick import open_backend

from .conf import database_alias
from .database_url import database_url, is_in_memory
from .project_runner import get_runner

JOBS = "jobs"
"""The name of the module of an application that defines its jobs."""


class TallystickConfig(AppConfig):
    """Registers the jobs in the module `jobs` of each application when Django starts."""

    name = "tallystick_django"
    verbose_name = "Tallystick"

    def ready(self) -> None:
        """Register the jobs of the project, and the job that runs the tasks of `django.tasks`."""
        post_migrate.connect(_create_store, sender=self)
        runner = get_runner()
        for app in apps.get_app_configs():
            if app.module is not None and module_has_submodule(app.module, JOBS):
                runner.include(import_module(f"{app.name}.{JOBS}"))
        if django.VERSION >= (6, 0):
            from .tasks import register  # noqa: PLC0415  # Django 5 has no tasks

            register(runner)


def _create_store(using: str, **_: Any) -> None:
    """Create or migrate the store with the tables of Django. A database in memory can have none."""
    if using == database_alias() and not is_in_memory(using):
        with open_backend(database_url(using)) as backend:
            backend.setup()

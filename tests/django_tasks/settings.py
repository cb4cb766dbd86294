"""The settings of a Django project with one backend of `django.tasks`: that of the variable SUBJECT."""

import os
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["SUBJECT_FOLDER"])
BACKENDS: dict[str, tuple[str, list[str]]] = {
    "immediate": ("django.tasks.backends.immediate.ImmediateBackend", []),
    "tallystick": ("tallystick_django.tasks.TallystickTasks", ["tallystick_django"]),
    "django_tasks_db": ("django_tasks_db.DatabaseBackend", ["django_tasks_db"]),
    "django_ox": ("django_ox.backend.OxBackend", ["django_ox"]),
}
BACKEND, INSTALLED_APPS = BACKENDS[os.environ["SUBJECT"]]

SECRET_KEY = "only-for-tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES: dict[str, Any] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "project.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        "TEST": {"NAME": FOLDER / "test.sqlite3"},
    }
}
TASKS: dict[str, Any] = {"default": {"BACKEND": BACKEND, "QUEUES": ["default"]}}
if "django_ox" in INSTALLED_APPS:
    TASKS["default"]["OPTIONS"] = {"MAX_ATTEMPTS": 1}  # as the others: a task fails at its first error
LOGGING = {
    "version": 1,
    "loggers": {name: {"level": "CRITICAL"} for name in ("django.tasks", "tallystick", "django_ox")},
}

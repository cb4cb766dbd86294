"""django-ox on Django's tasks: a pool of connections, and a worker of ten threads that polls every 100 ms."""

import json
import sys
import threading
from time import monotonic
from urllib.parse import urlsplit

import django
from child import batches, begin, pause, picked_up, until_end
from django.conf import settings
from django.core.management import call_command
from django.tasks import task


def _configure(url: str) -> None:
    parts = urlsplit(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "HOST": parts.hostname,
        "PORT": parts.port,
        "OPTIONS": {"pool": {"min_size": 4, "max_size": 20}},
    }
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["django_ox"],
        TASKS={"default": {"BACKEND": "django_ox.backend.OxBackend"}},
        USE_TZ=True,
    )
    django.setup()


_configure(json.loads(sys.argv[3]))  # the decorator and the models need the settings


@task
def noop(sent: float | None = None) -> None:
    """Report the latency of a ping."""
    if sent is not None:
        picked_up(sent)


def setup(url: str) -> None:
    """Create the tables."""
    call_command("migrate", verbosity=0)


def enqueue_one(url: str, jobs: int) -> float:
    """Enqueue one by one."""
    noop.enqueue()
    began = monotonic()
    for _ in range(jobs):
        noop.enqueue()
    return monotonic() - began


def enqueue_batch(url: str, jobs: int) -> float:
    """Enqueue in batches."""
    from django_ox.bulk import enqueue_many  # noqa: PLC0415  # needs the settings

    began = monotonic()
    for numbers in batches(jobs):
        enqueue_many(noop, [((), {}) for _ in numbers])
    return monotonic() - began


def ping(url: str, times: int) -> None:
    """Enqueue pings."""
    for _ in range(times):
        noop.enqueue(monotonic())
        pause()


def work(url: str) -> None:
    """Work until standard input ends."""
    from django_ox.worker import Worker  # noqa: PLC0415  # needs the settings

    worker = Worker(backend_alias="default", concurrency=10, poll_interval=0.1)
    begin()

    def stop() -> None:
        until_end()
        worker.request_stop()

    threading.Thread(target=stop, daemon=True).start()
    worker.run()

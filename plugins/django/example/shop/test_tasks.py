"""The tasks of Django 6 as jobs."""

import asyncio
import unittest
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import UUID

import django
from asgiref.sync import sync_to_async
from django.db import transaction
from django.test import SimpleTestCase, TransactionTestCase, override_settings
from django.utils import timezone
from tallystick.testing import manual
from tallystick_django import get_runner

if django.VERSION < (6, 0):
    raise unittest.SkipTest("Django 5 has no tasks")

from django.tasks import task_backends
from django.tasks.base import TaskResultStatus
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist, TaskResultMismatch
from django.tasks.signals import task_enqueued, task_finished

from shop.tasks import add, divide, send_mail

SOON = timedelta(minutes=2)


class Tasks(TransactionTestCase):
    """The backend keeps what Django's documentation says about tasks."""

    def setUp(self) -> None:
        """Start a worker. It stops at the end of the test."""
        self.enterContext(get_runner()).start()

    def finished(self, result: Any) -> Any:
        """Wait for a task, and refresh its result."""
        get_runner().wait_for(UUID(result.id), timeout=SOON)
        result.refresh()
        return result

    def test_a_task_returns_its_value(self) -> None:
        """The result has status, times and worker."""
        result = self.finished(add.enqueue(1, right=2))
        assert result.status == TaskResultStatus.SUCCESSFUL
        assert result.return_value == 3
        assert (result.args, result.kwargs, result.attempts) == ([1], {"right": 2}, 1)
        assert result.enqueued_at <= result.started_at <= result.finished_at
        assert add.get_result(result.id).return_value == 3

    def test_an_error_is_kept(self) -> None:
        """A task without attempts left has failed, with its exception."""
        result = self.finished(divide.enqueue(1))
        assert result.status == TaskResultStatus.FAILED
        assert result.errors[0].exception_class is ZeroDivisionError
        assert "divide" in result.errors[0].traceback
        with self.assertRaises(ValueError):
            _ = result.return_value

    def test_a_rollback_takes_the_task_with_it(self) -> None:
        """A task enqueued in `atomic()` is part of the transaction."""
        with transaction.atomic():
            result = add.enqueue(1, 2)
            transaction.set_rollback(True)
        with self.assertRaises(TaskResultDoesNotExist):
            add.get_result(result.id)

    def test_with_a_store_elsewhere_the_task_follows_the_commit(self) -> None:
        """The result has its id at once. After a rollback, there is no task."""
        with self.settings(TALLYSTICK={"BACKEND": "memory://"}):
            with transaction.atomic():
                committed = add.enqueue(2, 3)
            with transaction.atomic():
                never = add.enqueue(2, 3)
                transaction.set_rollback(True)
        assert committed.enqueued_at is None
        assert self.finished(committed).return_value == 5
        with self.assertRaises(TaskResultDoesNotExist):
            add.get_result(never.id)

    def test_a_task_with_attempts_left_is_retried(self) -> None:
        """The option `max_attempts` of a backend lets a task run again."""
        retried = Event()
        get_runner().on_retried(lambda record, outcome: retried.set())
        result = divide.using(backend="patient").enqueue(6)
        assert retried.wait(SOON.total_seconds())
        get_runner().requeue(UUID(result.id))  # now, not after the delay of the retry policy
        result = self.finished(result)
        assert (result.return_value, result.attempts) == (6.0, 2)

    def test_queue_priority_and_time(self) -> None:
        """`using` sets the options of the job."""
        result = send_mail.using(run_after=timezone.now() + timedelta(hours=1)).enqueue("ada@example.org")
        record = get_runner().get(UUID(result.id))
        assert (record.queue, record.priority, record.max_attempts) == ("mail", 7, 3)
        assert record.tags == ("shop.tasks.send_mail",)
        assert send_mail.get_result(result.id).status == TaskResultStatus.READY
        get_runner().cancel(record.id)

    def test_an_async_task_runs(self) -> None:
        """Its coroutine runs in a thread of the worker."""
        assert self.finished(send_mail.enqueue("ada@example.org")).return_value == "sent to ada@example.org"

    async def test_receivers_of_aenqueue_keep_no_sync_code_waiting(self) -> None:
        """While an async receiver waits, the one thread of Django's sync code works for others."""
        sent, worked = asyncio.Event(), asyncio.Event()

        async def receive(**_: object) -> None:
            sent.set()
            await asyncio.wait_for(worked.wait(), SOON.total_seconds())

        async def work() -> None:
            await sent.wait()
            await sync_to_async(timezone.now)()
            worked.set()

        task_enqueued.connect(receive)
        self.addCleanup(task_enqueued.disconnect, receive)
        working = asyncio.create_task(work())
        result = await add.aenqueue(2, 2)
        await working
        assert (await get_runner().await_for(UUID(result.id), timeout=SOON)).value == 4

    async def test_aget_result_waits_for_no_sync_code(self) -> None:
        """Django runs all sync code of a request in one thread, which may be busy."""
        result = await add.aenqueue(2, 2)
        release = Event()
        busy = asyncio.create_task(sync_to_async(release.wait)())
        try:
            found = await asyncio.wait_for(add.aget_result(result.id), SOON.total_seconds())
        finally:
            release.set()
            await busy
        assert found.id == result.id

    def test_max_attempts_of_a_task(self) -> None:
        """They are part of the task, also in a result. Wrong ones are rejected when the task is defined."""
        assert send_mail.get_result(send_mail.enqueue("ada@example.org").id).task.max_attempts == 3
        for wrong in (0, 1_000_001, 1.5, True, "3"):
            with self.assertRaisesRegex(InvalidTask, "max_attempts is .*from 1 to 1,000,000"):
                replace(send_mail, max_attempts=wrong)

    def test_results_of_others(self) -> None:
        """An unknown id and a result of another task have errors of their own."""
        result = self.finished(add.enqueue(1, 1))
        with self.assertRaises(TaskResultMismatch):
            divide.get_result(result.id)
        for id in ("nonsense", "00000000-0000-4000-8000-000000000000"):
            with self.assertRaises(TaskResultDoesNotExist):
                add.get_result(id)

    def test_the_signal_of_the_end(self) -> None:
        """`task_finished` comes with the final result."""
        heard: list[tuple[str, str]] = []

        def hear(task_result: Any, **_: object) -> None:
            heard.append((task_result.id, task_result.status))

        task_finished.connect(hear)
        result = self.finished(add.enqueue(2, 2))
        get_runner().stop()  # waits for the callbacks
        assert heard == [(result.id, TaskResultStatus.SUCCESSFUL)]


class TasksWithoutDatabase(SimpleTestCase):
    """Tasks on a store in memory, with the test case that forbids connections."""

    def test_a_task_returns_its_value(self) -> None:
        """Neither the task nor its result needs a connection of Django."""
        with manual(get_runner()) as jobs:
            result = add.enqueue(1, 2)
            jobs.drain()
            result.refresh()
        assert result.return_value == 3


class Checks(SimpleTestCase):
    """`manage.py check` finds wrong settings of the backend."""

    def errors(self, **options: object) -> list[str]:
        """Return the ids of the errors of a backend with options."""
        backend = {"BACKEND": "tallystick_django.tasks.TallystickTasks", "OPTIONS": options}
        with override_settings(TASKS={"default": backend}):
            return [error.id for error in task_backends["default"].check()]

    def test_right_settings(self) -> None:
        """There is nothing to report."""
        assert self.errors() == []
        assert self.errors(max_attempts=5) == []

    def test_wrong_options(self) -> None:
        """An unknown option and a wrong value are errors."""
        assert self.errors(attempts=5) == ["tallystick.E002"]
        assert self.errors(max_attempts=0) == ["tallystick.E003"]

    def test_an_application_that_is_missing(self) -> None:
        """Without the application, no worker would know the tasks."""
        with self.modify_settings(INSTALLED_APPS={"remove": ["tallystick_django"]}):
            assert self.errors() == ["tallystick.E001"]

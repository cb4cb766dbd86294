"""The tasks of Django 6 as jobs."""

import unittest
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import UUID

import django
from django.db import transaction
from django.test import TransactionTestCase
from django.utils import timezone
from tallystick_django import get_runner

if django.VERSION < (6, 0):
    raise unittest.SkipTest("Django 5 has no tasks")

from django.tasks.base import TaskResultStatus
from django.tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch
from django.tasks.signals import task_finished

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
        assert (record.queue, record.priority) == ("mail", 7)
        assert record.tags == ("shop.tasks.send_mail",)
        assert send_mail.get_result(result.id).status == TaskResultStatus.READY
        get_runner().cancel(record.id)

    def test_an_async_task_runs(self) -> None:
        """Its coroutine runs in a thread of the worker."""
        assert self.finished(send_mail.enqueue("ada@example.org")).return_value == "sent to ada@example.org"

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

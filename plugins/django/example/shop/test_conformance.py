"""The conformance kit tests the backend of `django.tasks` against Django's documentation."""

import unittest

import django
from django.test import TransactionTestCase
from tallystick_django import get_runner

if django.VERSION < (6, 0):
    raise unittest.SkipTest("Django 5 has no tasks")

from tallystick_conformance.django_tasks import TaskBackendConformance


class TestTasks(TaskBackendConformance, TransactionTestCase):
    """One test for each clause. One worker runs all the time, and claims tasks only while the queue is not paused."""

    @classmethod
    def setUpClass(cls) -> None:
        """Start the worker. It stops after the last test."""
        super().setUpClass()
        cls.enterClassContext(get_runner()).pause("default")
        cls.addClassCleanup(get_runner().resume, "default")
        get_runner().start()

    def work(self) -> None:
        """Let the worker run tasks."""
        get_runner().resume("default")

    def rest(self) -> None:
        """Let tasks wait."""
        get_runner().pause("default")

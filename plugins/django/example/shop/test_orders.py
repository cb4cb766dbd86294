"""Jobs in the transactions of Django's own database."""

from datetime import timedelta

from django.test import TestCase, TransactionTestCase
from tallystick import InvalidArgument
from tallystick.testing import manual
from tallystick_django import enqueue, get_runner

from shop.actions import place_order
from shop.models import Order

from .jobs import ship

SOON = timedelta(minutes=2)


class Orders(TransactionTestCase):
    """The example project ships orders."""

    def setUp(self) -> None:
        """Open the store, and close it at the end of the test, so that Django can remove the test database."""
        self.enterContext(get_runner())

    def test_an_order_and_its_job_are_committed_together(self) -> None:
        """The job runs in a worker, and changes the row by Django's own connection."""
        handle = place_order()
        get_runner().start()
        assert get_runner().result(handle, timeout=SOON) == f"shipped {Order.objects.get().pk}"
        assert Order.objects.get().shipped

    def test_a_rollback_takes_the_job_with_it(self) -> None:
        """Neither the order nor the job is stored."""
        before = get_runner().stats().total
        with self.assertRaises(KeyError):
            place_order(then=KeyError("no stock"))
        assert get_runner().stats().total == before
        assert not Order.objects.exists()

    def test_without_a_transaction_the_job_is_stored_at_once(self) -> None:
        """Django commits each statement by itself."""
        handle = enqueue(ship.job(0))
        assert get_runner().get(handle.id).queue == "orders"
        get_runner().cancel(handle.id)

    def test_a_store_elsewhere_does_not_join(self) -> None:
        """The error names the way to enqueue after the commit."""
        elsewhere = self.settings(TALLYSTICK={"BACKEND": "memory://"})
        with elsewhere, self.assertRaisesRegex(InvalidArgument, "on_commit"):
            place_order()


class OrdersWithoutWorker(TestCase):
    """Jobs on a store in memory, with Django's fast test case."""

    def test_an_order_is_shipped(self) -> None:
        """`drain` runs the job in the thread and the transaction of the test."""
        with manual(get_runner()) as jobs:
            place_order()
            jobs.assert_enqueued(ship)
            jobs.drain()
        assert Order.objects.get().shipped

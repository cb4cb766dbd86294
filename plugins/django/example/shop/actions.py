"""The code of the example project's views."""

from django.db import transaction
from tallystick import Handle
from tallystick_django import enqueue

from .jobs import ship
from .models import Order


def place_order(*, then: Exception | None = None) -> Handle[str]:
    """Store an order and the job that ships it: both or neither."""
    with transaction.atomic():
        order = Order.objects.create()
        handle = enqueue(ship.job(order.pk))
        if then is not None:
            raise then
    return handle

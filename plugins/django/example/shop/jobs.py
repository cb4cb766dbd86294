"""The jobs of the example project."""

from tallystick import Context, job


@job("orders:ship", queue="orders")
def ship(order: int, ctx: Context) -> str:
    """Mark an order as shipped."""
    from shop.models import Order  # noqa: PLC0415  # Django loads models after the module of an application

    Order.objects.filter(pk=order).update(shipped=True)
    return f"shipped {order}"

"""One entry in each register beside the jobs, for examples about whole stores."""

from datetime import timedelta

from tallystick import Backend

from ..harness.case import NOW
from .beat import beat
from .meter import START, delta
from .tick import fire, schedule


def fill_registers(client: Backend) -> None:
    """Store a schedule that has fired once, a worker and a meter."""
    [stored] = client.put_schedules([schedule("registered", queue="ticked", meta={"k": "v"})], now=NOW)
    client.advance([fire(stored, START)], now=NOW)
    client.beat(beat("registered"), ttl=timedelta(minutes=1), now=NOW)
    client.meter([delta(completed=1)], now=NOW)

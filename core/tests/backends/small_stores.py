"""A store with small limits, one with coarse times, and a moment that such times round down or up."""

from dataclasses import replace
from datetime import timedelta

from tallystick import Capabilities

from ..helpers import NOW

STORE = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=False,
    time_precision=timedelta(microseconds=1),
    max_payload_bytes=4,
    max_batch=2,
)
COARSE = replace(STORE, time_precision=timedelta(milliseconds=1))

ODD = NOW + timedelta(microseconds=1_500)
DOWN, UP = NOW + timedelta(milliseconds=1), NOW + timedelta(milliseconds=2)

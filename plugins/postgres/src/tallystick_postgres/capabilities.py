"""The features and limits of the backend."""

from datetime import timedelta

from tallystick import Capabilities

CAPABILITIES = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=True,
    time_precision=timedelta(microseconds=1),
    max_payload_bytes=16 * 1024 * 1024,
    max_batch=100_000,
    error_text=True,
)

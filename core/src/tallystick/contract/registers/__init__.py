"""The values of two registers beside the jobs: workers, and meters of what they did."""

from .meters import LONGEST_SUM, METERS_KEPT, Meter, MeterDelta
from .workers import LONGEST_TTL, MOST_QUEUES, MOST_RUNNING, WORKERS_KEPT, Beat, Running, WorkerInfo

__all__ = [
    "LONGEST_SUM",
    "LONGEST_TTL",
    "METERS_KEPT",
    "MOST_QUEUES",
    "MOST_RUNNING",
    "WORKERS_KEPT",
    "Beat",
    "Meter",
    "MeterDelta",
    "Running",
    "WorkerInfo",
]

"""The values of two registers beside the jobs: workers, and meters of what they did."""

from .meters import METERS_KEPT, Meter, MeterDelta
from .workers import LONGEST_TTL, MOST_RUNNING, WORKERS_KEPT, Beat, Running, WorkerInfo

__all__ = [
    "LONGEST_TTL",
    "METERS_KEPT",
    "MOST_RUNNING",
    "WORKERS_KEPT",
    "Beat",
    "Meter",
    "MeterDelta",
    "Running",
    "WorkerInfo",
]

"""Concurrent histories: record the calls and results of several clients, and check them against rules R1 to R14."""

from .check import Finding, check
from .operation import Operation
from .recorder import Recorder
from .rounds import run_rounds
from .timeline import write_timeline

__all__ = ["Finding", "Operation", "Recorder", "check", "run_rounds", "write_timeline"]

"""Concurrent histories: record the calls and results of several clients, and check them against rules R1 to R14."""

from .check import check
from .finding import Finding
from .operation import Operation
from .recorder import Recorder

__all__ = ["Finding", "Operation", "Recorder", "check"]

"""The conformance kit of Windlass: it proves a backend, anybody's, against the contract.

Three doors lead to one engine: `conform(url)`, a test class that inherits from `BackendConformance`, and the command
`windlass conform URL`.
"""

from .clauses import CLAUSES, Clause
from .engine import conform
from .mutant import Mutant
from .report import Report, Result, Status
from .suite import BackendConformance
from .target import Target
from .violation import Violation

__all__ = [
    "CLAUSES",
    "BackendConformance",
    "Clause",
    "Mutant",
    "Report",
    "Result",
    "Status",
    "Target",
    "Violation",
    "conform",
]

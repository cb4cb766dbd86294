"""The conformance kit of Tallystick: it tests any backend against the contract.

There are four entry points: `conform(url)`, a test class that inherits from `BackendConformance`, `pytest --pyargs
tallystick_conformance --tallystick-url URL`, and the command `tallystick conform URL`.

Names are imported on first use, because pytest and the command line import this package at every start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract.clauses import CLAUSES, Clause
    from .harness.violation import Violation
    from .mutants.mutant import Mutant
    from .reports.report import Report
    from .reports.result import Result, Status
    from .running.engine import Interrupted, conform
    from .running.suite import BackendConformance
    from .subject.target import Target

__all__ = [
    "CLAUSES",
    "BackendConformance",
    "Clause",
    "Interrupted",
    "Mutant",
    "Report",
    "Result",
    "Status",
    "Target",
    "Violation",
    "conform",
]

_MODULES = {
    "contract.clauses": ("CLAUSES", "Clause"),
    "harness.violation": ("Violation",),
    "mutants.mutant": ("Mutant",),
    "reports.report": ("Report",),
    "reports.result": ("Result", "Status"),
    "running.engine": ("Interrupted", "conform"),
    "running.suite": ("BackendConformance",),
    "subject.target": ("Target",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The conformance kit of Tallystick: it tests any backend against the contract.

There are four entry points: `conform(url)`, a test class that inherits from `BackendConformance`, `pytest --pyargs
tallystick_conformance --tallystick-url URL`, and the command `tallystick conform URL`.

Names are imported on first use, because pytest and the command line import this package at every start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clauses import CLAUSES, Clause
    from .engine import Interrupted, conform
    from .mutant import Mutant
    from .report import Report, Result, Status
    from .suite import BackendConformance
    from .target import Target
    from .violation import Violation

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
    "clauses": ("CLAUSES", "Clause"),
    "engine": ("Interrupted", "conform"),
    "mutant": ("Mutant",),
    "report": ("Report", "Result", "Status"),
    "suite": ("BackendConformance",),
    "target": ("Target",),
    "violation": ("Violation",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

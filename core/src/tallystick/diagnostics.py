"""The findings that `Backend.diagnose` returns about a store."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check of a store.

    Args:
        name: The name of the check in a few words, such as "oldest transaction".
        severity: A fault prevents jobs from running, now or soon. A warning may become a fault.
        found: The observed value.
        advice: How to fix the problem. Empty if there is none.
    """

    name: str
    severity: Severity
    found: str
    advice: str = ""


def ok(name: str, found: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(name, Severity.OK, found)


def warning(name: str, found: str, advice: str) -> Finding:
    """Return a finding that may become a fault."""
    return Finding(name, Severity.WARNING, found, advice)


def fault(name: str, found: str, advice: str) -> Finding:
    """Return a finding that you must fix."""
    return Finding(name, Severity.FAULT, found, advice)

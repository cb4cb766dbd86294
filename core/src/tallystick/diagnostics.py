"""What a backend says of its store when it is asked how it is: see `Backend.diagnose`."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: What was looked at, in a few words: "oldest transaction".
        severity: A fault keeps jobs from being worked, or will; a warning may.
        found: What was found, with its numbers.
        advice: What to do; empty where nothing is to be done.
    """

    name: str
    severity: Severity
    found: str
    advice: str = ""


def ok(name: str, found: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(name, Severity.OK, found)


def warning(name: str, found: str, advice: str) -> Finding:
    """Return a finding that may become a fault."""
    return Finding(name, Severity.WARNING, found, advice)


def fault(name: str, found: str, advice: str) -> Finding:
    """Return a finding that has to be mended."""
    return Finding(name, Severity.FAULT, found, advice)

"""The test of each clause."""

from collections.abc import Callable
from importlib import import_module

from .subject import Subject

Check = Callable[[Subject], None]
CHECKS: dict[str, Check] = {}


def checks(clause: str) -> Callable[[Check], Check]:
    """Register a function as the test of a clause."""

    def register(check: Check) -> Check:
        assert clause not in CHECKS
        CHECKS[clause] = check
        return check

    return register


def run_check(clause: str, subject: Subject) -> None:
    """Test one clause. The tests are imported now, because they define tasks, which needs Django's settings.

    Raises:
        AssertionError: The backend breaks the clause.
        NotApplicable: The backend has no such feature.
    """
    for module in ("enqueueing", "running", "results", "features"):
        import_module(f"{__package__}.{module}")
    CHECKS[clause](subject)

"""The pytest plugin: options that name what `pytest --pyargs windlass_conformance` tests, and a fixture.

Every pytest run where the kit is installed loads this module, so it imports nothing but pytest until it is used.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("windlass", "conformance of a Windlass backend")
    group.addoption("--windlass-url", metavar="URL", default="", help="The backend that windlass_conformance tests.")
    group.addoption("--windlass-profile", default="quick", choices=["quick", "standard"], help="How much is tested.")
    group.addoption(
        "--windlass-known", action="append", default=[], metavar="CLAUSE=LINK", help="A failure that is known."
    )


@pytest.fixture
def windlass_conform() -> "Callable[..., Report]":
    """Prove a backend: called as `windlass_conformance.conform` is, it fails the test with all that is broken."""

    def proven(target: Any, **options: Any) -> "Report":
        from .engine import conform  # noqa: PLC0415 - see above

        __tracebackhide__ = True
        report = conform(target, **options)
        if not report.passed:
            pytest.fail("\n\n".join(result.detail for result in report.failures), pytrace=False)
        return report

    return proven

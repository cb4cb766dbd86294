"""The pytest plugin: options that name what `pytest --pyargs tallystick_conformance` tests, and a fixture.

Every pytest run where the kit is installed loads this module, so it imports nothing but pytest until it is used.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("tallystick", "conformance of a Tallystick backend")
    group.addoption(
        "--tallystick-url", metavar="URL", default="", help="The backend that tallystick_conformance tests."
    )
    group.addoption("--tallystick-profile", default="quick", choices=["quick", "standard"], help="How much is tested.")
    group.addoption(
        "--tallystick-known", action="append", default=[], metavar="CLAUSE=LINK", help="A failure that is known."
    )


@pytest.fixture
def tallystick_conform() -> "Callable[..., Report]":
    """Prove a backend: called as `tallystick_conformance.conform` is, it fails the test with all that is broken."""

    def proven(target: Any, **options: Any) -> "Report":
        from .engine import conform  # noqa: PLC0415 - see above

        __tracebackhide__ = True
        report = conform(target, **options)
        if not report.passed:
            why = [*(result.detail for result in report.failures), f"{report.target} {report.verdict}"]
            pytest.fail("\n\n".join(why), pytrace=False)
        return report

    return proven

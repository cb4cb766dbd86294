"""The pytest plugin: options for `pytest --pyargs tallystick_conformance`, and a fixture.

Every pytest run loads this module if the kit is installed, so it imports only pytest at first.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .reports.report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("tallystick", "conformance of a Tallystick backend")
    group.addoption(
        "--tallystick-url", metavar="URL", default="", help="URL of the backend that tallystick_conformance tests."
    )
    group.addoption("--tallystick-profile", default="quick", choices=["quick", "standard"], help="How much to test.")
    group.addoption(
        "--tallystick-known",
        action="append",
        default=[],
        metavar="CLAUSE=LINK",
        help="A clause that is known to fail, with a link. Repeatable.",
    )


@pytest.fixture
def tallystick_conform() -> "Callable[..., Report]":
    """Test a backend like `tallystick_conformance.conform`, and fail the test with every violation."""

    def proven(target: Any, **options: Any) -> "Report":
        from .running.engine import conform  # noqa: PLC0415 - see above

        __tracebackhide__ = True
        report = conform(target, **options)
        if not report.passed:
            why = [*(result.detail for result in report.failures), f"{report.target} {report.verdict}"]
            pytest.fail("\n\n".join(why), pytrace=False)
        return report

    return proven

"""Helpers of the tests of hostile use."""

import pytest
from tallystick import Context, Definition, Runner

from ..helpers import AT_ONCE


def echo(runner: Runner) -> Definition[int, int]:
    """Register a job that returns its payload."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    return echo


def stop_anyhow(runner: Runner) -> None:
    """Stop a runner even if its event loop has died."""
    try:
        runner.stop(grace=AT_ONCE)
    except RuntimeError:
        pytest.fail("the runner cannot be stopped any more")

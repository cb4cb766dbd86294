"""Restarts of a crashed server."""

import pytest
from chaos.restarts import run


@pytest.mark.parametrize(("server", "jobs"), [("postgres", 4_000), ("mongo", 100), ("mongo-set", 100)])
def test_nothing_is_lost_when_the_server_crashes(request: pytest.FixtureRequest, server: str, jobs: int) -> None:
    """If the server crashes and comes back while two processes work, they continue, and every job completes."""
    if request.config.getoption("--backend") not in (None, server.removesuffix("-set")):
        pytest.skip("another backend was chosen")
    outcome = run(server, jobs=jobs, count=2, restarts=1)
    assert outcome.completed == jobs

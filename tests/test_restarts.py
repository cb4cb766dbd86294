"""A server that crashes in the middle of everything."""

from chaos.postgres_restarts import run


def test_nothing_is_lost_when_the_server_crashes() -> None:
    """PostgreSQL crashes and comes back while two processes work: they go on by themselves, and every job completes."""
    outcome = run(jobs=4_000, count=2, restarts=1)
    assert outcome.completed == 4_000

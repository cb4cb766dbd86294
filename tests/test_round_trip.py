"""Jobs and schedules move from SQLite to each backend and back; `nox -s round_trip` moves many more."""

from pathlib import Path

import round_trip
from tallystick import Backend, open_backend
from tallystick.cli.app import app
from typer.testing import CliRunner

JOBS = 100


def _move(source: str, target: str) -> str:
    run = CliRunner()
    exported = run.invoke(app, ["jobs", "export", "--schedules", "--backend", source], catch_exceptions=False)
    command = ["jobs", "import", "--backend", target]
    return run.invoke(app, command, input=exported.stdout, catch_exceptions=False).output


def _shown(jobs: int, jobs_there: int, schedules: int, schedules_there: int) -> str:
    counts = f"{jobs} new jobs, {jobs_there} there already; {schedules} new schedules, {schedules_there} there already"
    return f"imported: {counts}\n"


def _ready(url: str) -> Backend:
    store = open_backend(url)
    store.setup()
    return store


def test_jobs_move_to_a_backend_and_back(shared_url: str, tmp_path: Path) -> None:
    """A hundred jobs in every state keep each field, their keys and counts. Schedules keep their state."""
    urls = [f"sqlite:///{tmp_path}/first.db", shared_url, f"sqlite:///{tmp_path}/last.db"]
    with _ready(urls[0]) as first, _ready(urls[1]) as there, _ready(urls[2]) as last:
        round_trip.fill(first, JOBS)
        expected = round_trip.digests(first, there)
        for store, source, target in ((there, urls[0], urls[1]), (last, urls[1], urls[2])):
            assert _move(source, target) == _shown(JOBS, 0, 4, 0)
            assert _move(source, target) == _shown(0, JOBS, 0, 4)
            assert round_trip.digests(store) == expected
            assert round_trip.seen(store) == round_trip.seen(first)
        holders = round_trip.held(first, JOBS)
        assert {*holders} == {True, False}
        assert round_trip.held(there, JOBS) == round_trip.held(last, JOBS) == holders

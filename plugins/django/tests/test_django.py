"""The example project runs its own tests, in a process of its own, on Django's own databases."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tallystick import Runner, Status

EXAMPLE = Path(__file__).parent.parent / "example"


def command(*arguments: str) -> list[str]:
    """Return a command of `manage.py`."""
    return [sys.executable, "-W", "error", "-m", "django", *arguments]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of the project."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
    ours = {"DJANGO_SETTINGS_MODULE": "shop.settings", "PYTHONPATH": str(EXAMPLE), "SHOP_FOLDER": str(folder)}
    return {**inherited, **ours, **more}


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `manage.py`."""
    return subprocess.run(
        command(*arguments), env=environment(folder, **more), capture_output=True, text=True, check=False
    )


def test_the_project_on_sqlite(tmp_path: Path) -> None:
    """Orders, their jobs and, from Django 6 on, its tasks are in one file."""
    done = run(tmp_path, "test", "shop", "--noinput")
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_the_project_with_a_codec(tmp_path: Path) -> None:
    """Payloads that the store has as other bytes than JSON change nothing for orders and tasks."""
    done = run(tmp_path, "test", "shop", "--noinput", SHOP_CODEC="1")
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_the_project_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    """Orders, their jobs and, from Django 6 on, its tasks are in one database."""
    done = run(tmp_path, "test", "shop", "--noinput", SHOP_POSTGRES=postgres_url)
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_a_worker_ships_the_order_of_another_process(tmp_path: Path) -> None:
    """`manage.py tallystick_worker` runs the jobs of the project. At SIGTERM it stops with 0."""
    assert run(tmp_path, "migrate", "--run-syncdb").returncode == 0
    placed = run(tmp_path, "shell", "-c", "from shop.actions import place_order; print('job', place_order().id)")
    assert placed.returncode == 0, placed.stderr
    [id] = re.findall(r"^job (\S+)$", placed.stdout, re.MULTILINE)
    worker = subprocess.Popen(command("tallystick_worker"), env=environment(tmp_path))
    try:
        with Runner(f"sqlite:///{tmp_path}/shop.sqlite3") as runner:
            found = runner.wait_for(UUID(id), timeout=timedelta(minutes=2))
            assert found.record is not None
            assert found.status is Status.COMPLETED
            assert found.record.result is not None
            assert found.record.result.startswith(b'"shipped')
        worker.terminate()
        assert worker.wait(timeout=120) == 0
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize("wrong", ["--concurrency=0", "--queue="])
def test_a_wrong_option_of_the_worker(tmp_path: Path, wrong: str) -> None:
    """The worker does not start, and names the setting."""
    done = run(tmp_path, "tallystick_worker", wrong)
    assert done.returncode != 0
    assert wrong.partition("=")[0].strip("-") in done.stderr


def test_the_page_shows_the_project() -> None:
    """Each Python block of the manual's page is in a file of the project."""
    page = (EXAMPLE.parents[2] / "docs" / "django.md").read_text()
    files = [dedented(path.read_text()) for path in (EXAMPLE / "shop").glob("*.py")]
    blocks = [block.partition("```")[0] for block in page.split("```python\n")[1:]]
    assert len(blocks) == 9
    for block in blocks:
        code = "\n".join(line for line in block.splitlines() if not line.startswith("# "))
        assert any(dedented(code) in file for file in files), code


def test_the_page_has_the_recorded_results() -> None:
    """The table of the manual counts what `nox -s django_tasks -- --write` recorded."""
    docs = EXAMPLE.parents[2] / "docs"
    page, results = (docs / "django.md").read_text(), json.loads((docs / "django_tasks.json").read_text())
    assert f"On {results['date']}, with Django {results['versions']['immediate']} on SQLite" in page
    for name, subject in (
        ("tallystick-django", "tallystick"),
        ("`ImmediateBackend` of Django", "immediate"),
        (f"django-tasks-db {results['versions']['django_tasks_db']}", "django_tasks_db"),
        (f"django-ox {results['versions']['django_ox']}", "django_ox"),
    ):
        statuses = list(results["reports"][subject]["statuses"].values())
        applicable = len(statuses) - statuses.count("not applicable")
        assert f"| {name} | {statuses.count('passed')} of {applicable} |" in page


def dedented(text: str) -> str:
    """Return text without leading spaces, so that a block of a function can be compared."""
    return "\n".join(line.strip() for line in text.splitlines())

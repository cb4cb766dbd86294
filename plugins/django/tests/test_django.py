"""The example project runs its own tests, in a process of its own, on Django's own databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `manage.py`."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "django", *arguments],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")},
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "PYTHONPATH": str(HERE),
            "SHOP_FOLDER": str(folder),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_project_on_sqlite(tmp_path: Path) -> None:
    """Orders, their jobs and, from Django 6 on, its tasks are in one file."""
    done = run(tmp_path, "test", "shop", "--noinput")
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_the_project_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    """Orders, their jobs and, from Django 6 on, its tasks are in one database."""
    done = run(tmp_path, "test", "shop", "--noinput", SHOP_POSTGRES=postgres_url)
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


@pytest.mark.parametrize("wrong", ["--concurrency=0", "--queue="])
def test_a_wrong_option_of_the_worker(tmp_path: Path, wrong: str) -> None:
    """The worker does not start, and names the setting."""
    done = run(tmp_path, "tallystick_worker", wrong)
    assert done.returncode != 0
    assert wrong.partition("=")[0].strip("-") in done.stderr


def test_the_page_shows_the_project() -> None:
    """Each Python block of the manual's page is in a file of the project."""
    page = (HERE.parents[2] / "docs" / "django.md").read_text()
    files = [dedented(path.read_text()) for path in (HERE / "shop").glob("*.py")]
    blocks = [block.partition("```")[0] for block in page.split("```python\n")[1:]]
    assert len(blocks) == 6
    for block in blocks:
        code = "\n".join(line for line in block.splitlines() if not line.startswith("# "))
        assert any(dedented(code) in file for file in files), code


def dedented(text: str) -> str:
    """Return text without leading spaces, so that a block of a function can be compared."""
    return "\n".join(line.strip() for line in text.splitlines())

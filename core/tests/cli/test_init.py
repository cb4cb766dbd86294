"""`tallystick init`: the first module of jobs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..helpers import check_types
from .conftest import Cli


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter an empty project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _tallystick(*arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
    command = [sys.executable, "-m", "tallystick.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_module_works(cli: Cli, project: Path, pytestconfig: pytest.Config) -> None:
    """The module type-checks in strict mode, and its job runs by the commands that `init` prints."""
    out = cli("init").out
    assert "    tallystick worker app.jobs:runner\n" in out
    assert '    tallystick run people:greet --payload \'{"name": "Ada"}\' --runner app.jobs:runner --wait 10\n' in out
    run = ("run", "people:greet", "--payload", '{"name": "Ada"}', "--runner", "app.jobs:runner", "--json")
    assert json.loads(_tallystick(*run, "--inline")) == {"result": "Hello, Ada!"}
    id = json.loads(_tallystick(*run))["id"]
    _tallystick("worker", "app.jobs:runner", "--max-jobs", "1", "--poll", "0.1")
    job = json.loads(_tallystick("jobs", "show", id, "--json", "--backend", "sqlite:///jobs.db"))
    assert (job["state"], job["result"]) == ("completed", "Hello, Ada!")
    checked = check_types(project / "app" / "jobs.py", pytestconfig.cache.mkdir("mypy"))
    assert checked.returncode == 0, checked.stdout


def test_a_module_in_src(cli: Cli, project: Path) -> None:
    """A first part "src" is no package, and other new folders become packages."""
    result = cli("init", "src/shop/work/jobs.py", "--backend", "postgresql://localhost/shop", "--json").json
    assert result == {
        "files": ["src/shop/__init__.py", "src/shop/work/__init__.py", "src/shop/work/jobs.py"],
        "module": "shop.work.jobs",
    }
    assert 'Runner("postgresql://localhost/shop", ' in (project / "src/shop/work/jobs.py").read_text()


def test_existing_files_are_kept(cli: Cli, project: Path) -> None:
    """If the module exists, nothing is written."""
    (project / "app").mkdir()
    (project / "app" / "jobs.py").write_text("mine")
    result = cli("init")
    assert (result.code, "exists already" in result.err) == (2, True)
    assert [file.name for file in (project / "app").iterdir()] == ["jobs.py"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("../jobs.py",),
        ("jobs",),
        ("my-app/jobs.py",),
        ("class.py",),
        ("jobs.py", "--backend", "postgresql://ann:s3cret@db/shop"),
    ],
)
def test_what_cannot_be_written_is_rejected(cli: Cli, project: Path, arguments: tuple[str, ...]) -> None:
    """A file that is no module below the project, and a URL with a password, are rejected without a trace."""
    result = cli("init", *arguments)
    assert result.code == 2
    assert "s3cret" not in result.out + result.err
    assert list(project.iterdir()) == []

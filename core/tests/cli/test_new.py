import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tallystick import Job

from ..helpers import check_types
from .conftest import Cli


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter an empty project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def defined(file: Path) -> dict[str, Any]:
    """Return the names that a file defines."""
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(file.read_text(), file, "exec"), names)
    return names


def test_the_job_and_its_test_work(cli: Cli, project: Path, pytestconfig: pytest.Config) -> None:
    """The job has its kind and its queue, type-checks under mypy in strict mode, and its test passes."""
    result = cli("new", "job", "reports:generate", "--queue", "reports")
    assert (result.code, result.err) == (0, "")
    assert "wrote jobs/reports_generate.py and tests/test_reports_generate.py" in result.out
    assert "    from jobs import reports_generate\n    runner.include(reports_generate)\n" in result.out
    job: type[Job[str]] = defined(project / "jobs" / "reports_generate.py")["ReportsGenerate"]
    assert (job.kind, job.queue) == ("reports:generate", "reports")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "tests/test_reports_generate.py"]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    checked = check_types(project / "jobs" / "reports_generate.py", pytestconfig.cache.mkdir("mypy"))
    assert checked.returncode == 0, checked.stdout


def test_an_async_job_in_src(cli: Cli, project: Path) -> None:
    """With --async the handler is async; a first part "src" is not part of the module."""
    result = cli("new", "job", "mail:send", "--path", "src/app/jobs", "--tests", "tests/unit", "--async", "--json")
    assert result.json == {
        "kind": "mail:send",
        "job": "src/app/jobs/mail_send.py",
        "test": "tests/unit/test_mail_send.py",
        "module": "app.jobs.mail_send",
    }
    assert "    async def work(self" in (project / "src/app/jobs/mail_send.py").read_text()
    assert "queue" not in (project / "src/app/jobs/mail_send.py").read_text()
    assert "from app.jobs.mail_send import MailSend" in (project / "tests/unit/test_mail_send.py").read_text()


def test_existing_files_are_kept(cli: Cli, project: Path) -> None:
    """If one of the files exists, none is written."""
    (project / "tests").mkdir()
    (project / "tests" / "test_mail_send.py").write_text("mine")
    result = cli("new", "job", "mail:send")
    assert result.code == 2
    assert result.err.startswith("error: tests/test_mail_send.py exists already")
    assert not (project / "jobs").exists()
    assert (project / "tests" / "test_mail_send.py").read_text() == "mine"


@pytest.mark.parametrize("kind", ["report", "job", "none", "Reports:Generate", "reports.generate", "reports:"])
def test_an_unusual_kind_causes_a_warning(cli: Cli, project: Path, kind: str) -> None:
    """A kind that is not category:action causes a warning, which --no-check turns off."""
    assert "is not category:action" in cli("new", "job", kind).err
    assert cli("new", "job", kind, "--path", "other", "--tests", "others", "--no-check").err == ""
    [job] = (file for file in (project / "jobs").iterdir() if file.name != "__init__.py")
    assert kind in {getattr(value, "kind", None) for value in defined(job).values()}


@pytest.mark.parametrize(
    "arguments",
    [
        ("7:days",),
        ("::",),
        ("größe:messen",),
        ("a\nb",),
        ("mail:send", "--queue", ""),
        ("mail:send", "--path", "../jobs"),
        ("mail:send", "--path", "my-jobs"),
    ],
)
def test_what_cannot_be_named_is_rejected(cli: Cli, project: Path, arguments: tuple[str, ...]) -> None:
    """A kind without a name in Python, an invalid queue and an odd path are rejected, and nothing is written."""
    assert cli("new", "job", *arguments).code == 2
    assert list(project.iterdir()) == []

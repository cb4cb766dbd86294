"""`tallystick dashboard`: the command serves pages and control plane, and explains what it cannot do."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from tallystick import Runner
from tallystick.cli import main

COMMAND = [sys.executable, "-m", "tallystick.cli", "dashboard"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the URL of a store that is set up."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    with Runner(url) as runner:
        assert runner.backend.queues() == []
    return url


@pytest.fixture
def served(url: str) -> Iterator["subprocess.Popen[str]"]:
    """Serve the store on two free ports."""
    command = [*COMMAND, url, "--port", "0", "--control-port", "0", "--name", "staging"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_serves_pages_and_a_control_plane_until_a_signal(served: "subprocess.Popen[str]") -> None:
    """Both addresses are printed and respond; SIGTERM ends the process."""
    assert served.stdout is not None
    control, pages = (re.search(r"http://\S+", served.stdout.readline()) for _ in range(2))
    assert control
    assert pages
    browser = {"accept": "text/html"}
    with httpx.Client(timeout=300) as client:
        assert "staging" in client.get(pages[0], headers=browser).text
        assert client.get(control[0], headers=browser).json()["recent"] == []
        assert client.get(control[0].removesuffix("jobs"), headers=browser).status_code == 404
    served.send_signal(signal.SIGTERM)
    served.wait(300)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "open to everyone"),
        (["--colour", "red"], "colour"),
        (["--port", "99999"], "port"),
    ],
)
def test_a_setting_that_is_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, arguments: list[str], message: str
) -> None:
    """Exit code 2, and the reason."""
    code, error = failed(monkeypatch, capsys, url, *arguments)
    assert code == 2
    assert message in error
    assert len(error.splitlines()) == 1


def test_no_store_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither an argument nor the environment selects one."""
    monkeypatch.delenv("TALLYSTICK_BACKEND", raising=False)
    code, error = failed(monkeypatch, capsys)
    assert (code, "no store was selected" in error) == (2, True)


def failed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    """Run the command in this process, and return its exit code and its message."""
    monkeypatch.setattr(sys, "argv", ["tallystick", "dashboard", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code, capsys.readouterr().err

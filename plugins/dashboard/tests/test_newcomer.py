"""The first minutes of a new user: the demo of the README, then the dashboard on its store."""

import re
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx

README = Path(__file__).parents[3] / "README.md"
TALLYSTICK = [sys.executable, "-u", "-m", "tallystick.cli"]


def command(name: str) -> list[str]:
    """Return the arguments of a command of `tallystick` in the README."""
    [line] = re.findall(rf"uv run tallystick ({name}\b.*)$", README.read_text(), re.MULTILINE)
    return [*TALLYSTICK, *line.split()]


def test_the_dashboard_opens_on_the_store_of_the_demo(tmp_path: Path) -> None:
    """The two commands of the README, one after the other, in an empty folder."""
    demo = subprocess.run(
        [*command("demo"), "--jobs", "200"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    opened = [*command("dashboard"), "--port", "0"]
    with subprocess.Popen(opened, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            [base] = re.findall(r"http://\S+", server.stdout.readline())
            page = httpx.get(base, headers={"accept": "text/html"}, timeout=None)
            assert page.status_code == 200
            assert '<td class="name"><a href="/jobs?queue=demo">demo</a>' in page.text
            status = httpx.get(f"{base}jobs", timeout=None).json()
            assert status["by_state"]["completed"] == {"count": 200, "complete": True}
        finally:
            server.terminate()

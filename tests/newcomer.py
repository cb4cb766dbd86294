"""Follow docs/tutorial.md word by word as a newcomer: `PYTHONPATH=tests python tests/newcomer.py WHEELS [--write]`.

The newcomer has an empty home directory, and installs Tallystick from a folder of wheels. Each file of the page is
written, and each command executed; its output must be the page's, except for ids, names of workers and times. At the
end a browser visits the dashboard. With --write, its picture replaces the page's.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from playwright.sync_api import expect, sync_playwright
from support import PATIENCE, eventually

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
PICTURE = ROOT / "docs" / "images" / "tutorial.png"

_BLOCK = re.compile(r"^```(?:{code-block} )?(\w+)\n(?::caption: ([^\n]+)\n\n)?(.*?)^```", re.MULTILINE | re.DOTALL)
_END = "the end of a command"

_CHANGING = (
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),  # ids
    re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d([.,]\d+)?)?"),  # times
    re.compile(r"(?<=worker )\S+-\d+-[0-9a-f]{8}"),  # workers
    re.compile(r"\b(\d+d )?(\d+h )?[\d.]+ ?(s|min|h|d|m)\b( ago)?|\bnow\b"),  # lengths of time
    re.compile(r"(?<=tallystick )\d+\.\d+\.\d+"),  # versions
)


class Block(NamedTuple):
    """A block of the page: a file if its language is Python, otherwise commands with their output."""

    language: str
    caption: str
    text: str


class Command(NamedTuple):
    """A command, and the output that the page shows."""

    line: str
    output: str


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page."""
    return [Block(*found) for found in _BLOCK.findall(page)]


def commands(text: str) -> Iterator[Command]:
    """Yield the commands of a block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        yield Command(line, output)


def constant(output: str) -> str:
    """Return the words of an output that do not change from run to run."""
    for pattern in _CHANGING:
        output = pattern.sub("*", output)
    return " ".join(output.split())


class Terminal:
    """A shell that executes one command after the other."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def execute(self, command: Command) -> None:
        """Execute a command, and compare its output with the page's."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        print("$", command.line, flush=True)
        self._shell.stdin.write(f'{{ {command.line}\n}} < /dev/null\necho "{_END} $?"\n')
        self._shell.stdin.flush()
        printed = ""
        while _END not in (line := self._shell.stdout.readline()):
            assert line, f"the shell ended: {printed}"
            printed += line
        print(printed, end="", flush=True)
        assert line.split()[-1] == "0", line
        assert constant(command.output) == constant(printed), f"the page shows:\n{command.output}"

    def close(self) -> None:
        """End the shell."""
        self._shell.communicate()


class LongRunning:
    """A terminal whose last command runs until Ctrl-C."""

    def __init__(self, folder: Path, environment: dict[str, str], log: Path) -> None:
        self._folder, self._environment, self._log = folder, environment, log
        self._prepared = ""
        self._process: subprocess.Popen[bytes] | None = None

    def follow(self, block: str) -> None:
        """Press Ctrl-C if the block does, execute its commands, and wait for the output of the last one."""
        if block.startswith("^C"):
            self.interrupt()
        *before, last = commands(block)
        self._prepared += "".join(f"{command.line}\n" for command in before)
        print(f"({self._log.name}) $ {last.line}", flush=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f"{self._prepared}exec {last.line}"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        process = self._process
        eventually(lambda: process.poll() is not None or constant(last.output) in constant(self._log.read_text()))
        print(self._log.read_text(), end="", flush=True)
        assert process.poll() is None, "the command ended"

    def interrupt(self) -> None:
        """Press Ctrl-C, and wait until the command ends."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE)
            self._process = None


def environment_of(home: Path, wheels: Path) -> dict[str, str]:
    """Return the environment of a new machine, whose package index has these wheels."""
    ours = ["{}=={}\n".format(*wheel.name.split("-")) for wheel in wheels.glob("*.whl")]
    assert ours, f"{wheels} has no wheels"
    constraints = home.parent / "constraints.txt"
    constraints.write_text("".join(ours))
    index = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return {
        "HOME": str(home),
        "PATH": f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        **index,
        "PIP_FIND_LINKS": str(wheels),
        "PIP_CONSTRAINT": str(constraints),  # not another version from the index
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def write(folder: Path, caption: str, text: str) -> None:
    """Write a file of the page, or add to it."""
    path = folder / caption.removeprefix("append to ")
    path.write_text(f"{path.read_text()}\n\n{text}" if caption.startswith("append to ") else text)


def visit(url: str, picture: Path | None) -> None:
    """Check that the dashboard shows what the newcomer has done, and take a picture."""
    chromium = os.environ.get("TALLYSTICK_TEST_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 800}, locale="en-GB")
        page.goto(url)
        print(page.title(), "|", page.locator("main").inner_text(), flush=True)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if picture:
            page.screenshot(path=picture)
        page.goto(f"{url}jobs")
        for text in ("receipts:send", "stock:count"):
            expect(page.get_by_role("table").get_by_text(text).first).to_be_visible()
        browser.close()


def follow(page: str, wheels: Path, picture: Path | None) -> None:
    """Follow a page to its end.

    The home is not in TMPDIR. nox sets that to a folder of the project, and pytest would read the project's settings.
    """
    with TemporaryDirectory(prefix="tallystick-newcomer-", dir="/tmp") as temporary, ExitStack() as open_terminals:
        home = Path(temporary).resolve() / "home"
        home.mkdir()
        environment = environment_of(home, wheels)
        first = Terminal(home, environment)
        open_terminals.callback(first.close)
        others: dict[str, LongRunning] = {}
        folder = home / "shop"
        for block in blocks(page):
            if block.language == "python":
                write(folder, block.caption, block.text)
            elif block.caption:
                if block.caption not in others:
                    others[block.caption] = LongRunning(folder, environment, home.parent / block.caption)
                    open_terminals.callback(others[block.caption].interrupt)
                others[block.caption].follow(block.text)
            else:
                for command in commands(block.text):
                    first.execute(command)
        [url] = re.findall(r"Open <(http.*?)>", page)
        visit(url, picture)


def main() -> None:
    """Follow the tutorial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--write", action="store_true", help="replace the picture of the page")
    options = parser.parse_args()
    follow(PAGE.read_text(), options.wheels.resolve(), PICTURE if options.write else None)


if __name__ == "__main__":
    main()

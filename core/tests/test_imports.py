"""A program imports only the driver of the store that it opens, and nothing unused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tallystick.cli.app import ORDER

DRIVERS = {"psycopg", "psycopg_pool", "pymongo", "bson", "sqlite3"}
COMMAND_LINE = {"typer", "rich"}
CHILDREN = {"multiprocessing", "tallystick.isolation"}
ASYNC = {"asyncio", "concurrent.futures", "ssl", "tallystick.calling_loop"}
WORKER = {"tallystick.worker.worker"}
FILES = {"argparse", "dotenv", "pydantic_settings"}
"""Modules of libraries that read settings from files."""

APPLICATION = {"pydantic", "tallystick.backends", "tallystick.jobs", "tallystick.runner", "tallystick.worker"}
KIT = {"pytest", "hypothesis", "tallystick_conformance.command.app"}


def imported(program: str) -> set[str]:
    """Run a program, and return the names of the modules that it imported."""
    program = f"{program}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "program",
    [
        "import tallystick",
        "import tallystick_sqlite, tallystick_postgres, tallystick_mongo",
        "from tallystick import Runner; Runner('postgresql://host/db')",
        "from tallystick import Runner; Runner('memory://').backend.stats()",
        "from tallystick import Runner; r = Runner('memory://'); r.raw('a')(lambda a, ctx: None); r.start(); r.stop()",
    ],
)
def test_nothing_unused(program: str) -> None:
    """No driver, command line module or module of the kit is imported before its first use."""
    assert not imported(program) & (DRIVERS | COMMAND_LINE | KIT | CHILDREN)


def test_the_package_alone() -> None:
    """The package itself imports the contract and the errors, but not the runner, pydantic and an event loop."""
    assert not imported("import tallystick") & (APPLICATION | ASYNC)


PRODUCER = """
from tallystick import Context, Job, Runner

runner = Runner({url!r})

@runner.register
class Greet(Job[str]):
    kind = "tests:greet"
    name: str

    def work(self, ctx: Context) -> str:
        return self.name

runner.enqueue(Greet(name="Ann"))
runner.close()
"""


@pytest.mark.parametrize("url", ["memory://", "sqlite:///{folder}/jobs.db"])
def test_producer(url: str, tmp_path: Path) -> None:
    """A program that only enqueues imports no event loop, no worker and nothing that reads files of settings."""
    program = PRODUCER.format(url=url.format(folder=tmp_path))
    assert not imported(program) & (ASYNC | WORKER | FILES | COMMAND_LINE | KIT | CHILDREN)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("sqlite:///jobs.db", {"sqlite3"}),
        ("postgresql://host/db", {"psycopg", "psycopg_pool"}),
        ("mongodb://host/db", {"pymongo", "bson"}),
    ],
)
def test_own_driver(url: str, own: set[str]) -> None:
    """Opening a store imports its own driver and no other."""
    assert imported(f"import tallystick; tallystick.open_backend({url!r}).close()") & DRIVERS == own


def test_all_names() -> None:
    """Every name of the package is imported on first use, `dir` lists it, and no other name exists."""
    program = """
import tallystick

names = {*tallystick.__all__}
assert names <= {*dir(tallystick)}
exec("from tallystick import *", found := {})
assert names <= {*found}
assert found["Runner"] is tallystick.Runner is __import__("tallystick.runner.runner").runner.runner.Runner
assert not hasattr(tallystick, "Runer")
"""
    imported(program)


def test_help() -> None:
    """`tallystick --help` lists all commands without importing a command, the runner, pydantic, the kit or a driver."""
    program = """
import contextlib, io, sys
from tallystick.cli import main

sys.argv, out = ["tallystick", "--help"], io.StringIO()
with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
    main()
assert "conform " in out.getvalue()
"""
    found = imported(program)
    assert not found & (DRIVERS | KIT | ASYNC | APPLICATION)
    assert not found & {f"tallystick.cli.{name}" for name in ORDER}

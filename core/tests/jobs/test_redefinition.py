"""Defining a job again, as a notebook does when you rerun a cell."""

import importlib
import sys
from pathlib import Path

import pytest
from tallystick import AlreadyStarted, DuplicateKind, Runner, UnknownKind

from ..helpers import LONG

FUNCTION = """
@runner.job("add")
def add(payload: int, ctx: Context) -> int:
    return payload + {number}
job = add.job(10)
"""

CLASS = """
class Add(Job[int]):
    kind = "add"
    payload: int
    def work(self, ctx: Context) -> int:
        return self.payload + {number}
runner.register(Add)
job = Add(payload=10)
"""

CELLS = {"function": FUNCTION, "class": CLASS}


def run_cell(runner: Runner, cell: str, number: int) -> object:
    """Run a notebook's cell, and return its job."""
    names = {"runner": runner, "__name__": "__main__"}
    exec("from tallystick import Context, Job" + cell.format(number=number), names)
    return names["job"]


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
@pytest.mark.parametrize("started", [False, True], ids=["before start", "after start"])
def test_the_latest_definition_is_used(runner: Runner, cell: str, started: bool) -> None:
    """Defining the same function or class again replaces the earlier definition, even while the runner works."""
    old = run_cell(runner, cell, 1)
    if started:
        runner.start()
    new = run_cell(runner, cell, 2)
    if not started:
        runner.start()
    assert runner.result(runner.enqueue(new), timeout=LONG) == 12  # type: ignore[arg-type]
    with pytest.raises(UnknownKind, match="redefined"):
        runner.enqueue(old)  # type: ignore[arg-type]


def test_another_function(runner: Runner) -> None:
    """Another function with the same kind is rejected before and after start, and the first one stays."""
    run_cell(runner, FUNCTION, 1)
    for _ in range(2):
        with pytest.raises(DuplicateKind, match="'add' is already registered"):
            run_cell(runner, FUNCTION.replace("def add", "def plus").replace("add.job", "plus.job"), 2)
        if not runner.running:
            runner.start()
    assert runner.result(runner.enqueue_raw("add", b"10"), timeout=LONG) == 11


def test_a_new_kind_after_start(runner: Runner) -> None:
    """A running runner rejects a new kind, even after a redefinition."""
    run_cell(runner, FUNCTION, 1)
    runner.start()
    with pytest.raises(AlreadyStarted):
        run_cell(runner, FUNCTION.replace("add", "other"), 2)


def test_lambdas(runner: Runner) -> None:
    """Two lambdas have the same name, but count as different functions."""
    runner.raw("echo")(lambda payload, ctx: payload)
    with pytest.raises(DuplicateKind):
        runner.raw("echo")(lambda payload, ctx: payload)


def test_a_class_and_its_subclass(runner: Runner) -> None:
    """A subclass with the same kind is a different class, although it inherits `work`."""
    run_cell(runner, CLASS, 1)
    with pytest.raises(DuplicateKind):
        exec("class Sub(type(job)): ...\nrunner.register(Sub)", {"runner": runner, "job": run_cell(Runner(), CLASS, 1)})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an importable module."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "cells", raising=False)
    return tmp_path / "cells.py"


def test_twice_in_one_file(module: Path, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two functions with one name in one file are rejected, but reloading the file replaces its jobs."""
    monkeypatch.setattr(sys, "runner", runner, raising=False)
    head = "import sys\nfrom tallystick import Context\nrunner = sys.runner\n"
    module.write_text(head + FUNCTION.format(number=1))
    imported = importlib.import_module("cells")
    module.write_text(head + "\n\n" + FUNCTION.format(number=2))
    importlib.invalidate_caches()
    importlib.reload(imported)
    assert runner.definitions["add"](10, None) == 12  # type: ignore[arg-type]
    module.write_text(head + FUNCTION.format(number=3) + FUNCTION.format(number=4))
    with pytest.raises(DuplicateKind):
        importlib.reload(imported)

"""The tutorial's backend as users install it: a wheel in a fresh environment, found by its URL, checked by the kit."""

import ast
import json
import os
import re
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest
import tallystick
from example_environment import EXAMPLE, ROOT, SOURCES, Environment, wheel
from tallystick_conformance import CLAUSES

PAGE = ROOT / "docs" / "backends.md"
PROFILE = os.environ.get("TALLYSTICK_EXAMPLE", "")
"""The kit's profile to run completely; if empty, run a selection that takes seconds."""

QUICK_TIERS = {"payload", "name", "time", "refusal", "batch", "query", "wait", "capability"}
FENCE = " and record.attempt == claim.attempt"
CORE = {id for id, clause in CLAUSES.items() if clause.level == "core"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return one environment for all tests of this module."""
    return Environment.made_in(tmp_path_factory.mktemp("stranger"))


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    """The wheel contains every source file, `py.typed` and the entry point."""
    with ZipFile(wheel(EXAMPLE, tmp_path)) as built:
        names = built.namelist()
        [entry_points] = [built.read(name).decode() for name in names if name.endswith("entry_points.txt")]
    assert {f"tallystick_dbm/{file.name}" for file in SOURCES.glob("*.py")} | {"tallystick_dbm/py.typed"} <= set(names)
    assert entry_points == "[tallystick]\ndbm = tallystick_dbm.plugin\n"


def test_the_scheme_is_found(environment: Environment) -> None:
    """`tallystick backends` lists the scheme with its distribution, and no other backend."""
    _, *rows = environment.tallystick("backends").stdout.splitlines()
    assert [row.split()[:2] for row in rows] == [["dbm://", "tallystick-dbm"]]


@pytest.mark.kit
def test_the_example_conforms(environment: Environment) -> None:
    """`tallystick conform` finds no failure, passes the selected core clauses, and leaves no store behind."""
    selected = sorted(CORE if PROFILE else {id for id in CORE if CLAUSES[id].tier in QUICK_TIERS})
    selection = [] if PROFILE else [f"--only={id}" for id in selected]
    done = environment.tallystick(
        "conform", "dbm:///conform.dbm", f"--profile={PROFILE or 'quick'}", "--json", *selection
    )
    assert done.returncode in (0, 3), done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert done.returncode == (3 if "incomplete" in report["verdict"] else 0)  # a busy machine may run out of time
    statuses = {clause["id"]: clause["status"] for clause in report["clauses"]}
    assert {id: statuses[id] for id in selected} == dict.fromkeys(selected, "passed")
    assert list(environment.folder.glob("conform.dbm*")) == []


def test_the_bug_of_the_tutorial_fails(environment: Environment, tmp_path: Path) -> None:
    """With the tutorial's bug, the kit exits with 1 and prints the page's message."""
    broken = Path(shutil.copytree(SOURCES, tmp_path / "tallystick_dbm")) / "store.py"
    assert FENCE in broken.read_text()
    broken.write_text(broken.read_text().replace(FENCE, ""))
    done = environment.tallystick("conform", "dbm:///broken.dbm", "--only=SETTLE-06", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    shown = [line for line in done.stdout.splitlines() if line.startswith("SETTLE-06 is broken")]
    assert shown
    assert set(shown) <= set(PAGE.read_text().splitlines())


def test_the_example_imports_public_names_only() -> None:
    """The example imports only names of `tallystick.__all__` and `tallystick.backends.__all__`."""
    imports = [node for file in SOURCES.glob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    tallystick_imports = [
        node for node in imports if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tallystick")
    ]
    public = {"tallystick": tallystick.__all__, "tallystick.backends": tallystick.backends.__all__}
    imported = [(node.module or "", alias.name) for node in tallystick_imports for alias in node.names]
    assert [(module, name) for module, name in imported if name not in public.get(module, ())] == []


def test_the_page_quotes_the_whole_source() -> None:
    """The page includes every file of the example, and quotes it word for word."""
    page = PAGE.read_text()
    files = [EXAMPLE / "pyproject.toml", *SOURCES.glob("*.py"), *(EXAMPLE / "tests").glob("*.py")]
    included = re.findall(r"^```{literalinclude} (.*)$", page, re.MULTILINE)
    assert {ROOT / "docs" / name for name in included} == set(files)
    source = "\n".join(file.read_text() for file in files)
    excerpts = re.findall(r"^```(?:python|toml)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [excerpt for excerpt in excerpts if not _quoted(excerpt, source)] == []


def _quoted(excerpt: str, source: str) -> bool:
    return all(part.strip("\n") in source for part in excerpt.split("\n\n"))

"""Checks of the project: the README's commands, the distributions' versions, and the generated pages."""

import importlib
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
MEMBERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
PROJECTS = sorted(path for member in (".", *MEMBERS) for path in ROOT.glob(f"{member}/pyproject.toml"))


def test_the_first_two_blocks_of_the_readme_are_the_two_commands() -> None:
    """The first block runs the demo, the second the tests, and both install what they need."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert blocks[0] == "pip install uv && uv run tallystick demo\n"
    assert blocks[1] == "pip install uv && uv run pytest -n 4\n"


def test_the_example_of_the_readme_has_at_most_twenty_lines_of_code() -> None:
    """The example has at most twenty lines, so that it is quick to read."""
    [example] = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 20


def test_the_readme_lists_the_extras() -> None:
    """The table has each extra once, and the row `all` names those that it contains."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    listed = {name: text for names, text in rows for name in re.findall(r"`(\w+)`", names)}
    assert extras.keys() <= listed.keys()
    [contained] = re.findall(r"\[(.*)\]", extras["all"][0])
    assert re.findall(r"`(\w+)`", listed["all"]) == contained.split(",")


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_every_distribution_has_the_one_version(project: Path) -> None:
    """The version is read from one file, and written nowhere else."""
    metadata = tomllib.loads(project.read_text())
    assert "version" in metadata["project"]["dynamic"]
    path = project.parent / metadata["tool"]["hatch"]["version"]["path"]
    assert path.resolve() == ROOT / "core/src/tallystick/_version.py"
    assert version(metadata["project"]["name"]) == version("tallystick-core")


def test_generated_pages_are_up_to_date() -> None:
    """The generated pages agree with the code."""
    done = subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_a_run_of_a_few_mutants_renews_only_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docs/kills.py` replaces only the mutants and the profile of the run, one line for each mutant."""
    spec = importlib.util.spec_from_file_location("kills", ROOT / "docs" / "kills.py")
    assert spec
    assert spec.loader
    kills: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kills)
    before = kills.read()
    [(name, kill), *others] = before.items()
    run = {"profile": "quick", "mutants": [{**kill, "killed": False, "fate": "hung", "by": []}]}
    (tmp_path / "run.json").write_text(json.dumps(run))
    monkeypatch.setattr(kills, "KILLS", tmp_path / "kill.json")
    (tmp_path / "kill.json").write_text((ROOT / "docs" / "kill.json").read_text())

    kills.main([str(tmp_path / "run.json")])

    assert kills.read() == {name: {**kill, "quick": "hung"}, **dict(others)}
    assert len((tmp_path / "kill.json").read_text().splitlines()) == len(before) + 2


def test_every_public_error_has_a_section() -> None:
    """Each public error and warning of the core and of the plugins is on the page of errors, with cause and remedy."""
    packages = [path.parent.name for path in ROOT.glob("plugins/*/src/*/__init__.py")]
    modules = [importlib.import_module(name) for name in ("tallystick", *packages)]
    public = {name: getattr(module, name) for module in modules for name in getattr(module, "__all__", ())}
    raised = {name for name, value in public.items() if isinstance(value, type) and issubclass(value, Exception)}
    page = (ROOT / "docs" / "errors.md").read_text()
    sections = re.findall(
        r"^## (\w+)\n\n(?:(?!^## ).*\n)+?\*\*Why:\*\* .+\n\n\*\*What to do:\*\* .+", page, re.MULTILINE
    )
    of_handlers = {"Snooze", "DiscardJob", "Stopped"}  # decisions of a handler, described in the manual of jobs
    assert {*sections} == raised - of_handlers - {"TallystickError"}

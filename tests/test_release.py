"""Checks of a release: metadata of the distributions, workflows, notes, and settings without documentation."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from tallystick.config.settings import COMMAND_VARIABLES, Settings
from tallystick_dashboard import DashboardSettings

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MEMBERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
PROJECTS = sorted(path for member in (".", *MEMBERS) for path in ROOT.glob(f"{member}/pyproject.toml"))

BY_HAND = {
    "default_tests",  # the other sessions contain its tests
    "vendor",
    "translate",
    "cost",  # a test of the default tests compares the costs
    "bench",  # the rest compares times, which a shared machine cannot
    "bench_long_transaction",
    "bench_peers",
    "bench_search",
    "bench_dashboard",
    "bench_workloads",
    "screenshots",  # a person looks at them
}
"""Sessions that no workflow runs."""


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_metadata_agree(project: Path) -> None:
    """Each distribution has the licence, the Pythons and the classifiers of the others."""
    ours, root = (tomllib.loads(path.read_text())["project"] for path in (project, ROOT / "pyproject.toml"))
    assert ours["license"] == root["license"]
    assert ours["license-files"] == ["LICENSE"]
    assert (project.parent / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert ours["requires-python"] == root["requires-python"]
    assert set(root["classifiers"]) <= set(ours["classifiers"])
    assert ours["description"]
    assert (project.parent / ours["readme"]).is_file()


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_every_package_is_typed(project: Path) -> None:
    """Each package contains `py.typed`, so that type checkers read its annotations."""
    for package in (project.parent / "src").glob("*/__init__.py"):
        assert (package.parent / "py.typed").is_file()


def test_each_distribution_is_built_and_checked() -> None:
    """The session `build` names every distribution."""
    names = {tomllib.loads(path.read_text())["project"]["name"] for path in PROJECTS}
    assert _script("noxfile.py").DISTRIBUTIONS.keys() == names


def test_workflows_run_sessions_that_exist() -> None:
    """Each session that a workflow names exists, so that a renamed one is noticed here and not on the server."""
    assert [name for name in _run_by_workflows() if name not in _sessions()] == []


def test_each_session_runs_in_a_workflow() -> None:
    """A workflow runs each session, on each Python and backend, except those that people run."""
    left = {name for name in _sessions() if name.partition("-")[0].partition("(")[0] not in BY_HAND}
    assert left - set(_run_by_workflows()) == set()


def test_actions_are_pinned() -> None:
    """Each action is pinned by its hash, so that a moved tag changes nothing."""
    used = [action for path in WORKFLOWS for action in re.findall(r"uses: (\S+)", path.read_text())]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []


def test_notes_of_a_release() -> None:
    """The notes are the changelog's section of the tag."""
    changelog = (
        "# Changelog\n\n## Unreleased\n\nnew\n\n## 1.2.0 - 2026-11-29\n\n- one\n\n## 1.1.0 - 2026-10-01\n\n- two\n"
    )
    assert _script("docs/release_notes.py").notes("v1.2.0", "1.2.0", changelog) == "- one\n"


@pytest.mark.parametrize(("tag", "wrong"), [("v1.1.0", "tag v1.2.0"), ("v1.2.0", "no section '## 1.2.0")])
def test_a_release_without_notes_fails(tag: str, wrong: str) -> None:
    """A tag that is not the version, or a section without a date, ends the release before anything is published."""
    with pytest.raises(ValueError, match=re.escape(wrong)):
        _script("docs/release_notes.py").notes(tag, "1.2.0", "## 1.2.0\n\n- no date\n")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    """Each setting has a row on the page about workers, with its variable if the environment can set it."""
    page = (ROOT / "docs" / "workers.md").read_text()
    variable = f"TALLYSTICK_{name.upper()}"
    if name in ("retry", "codec"):
        assert re.search(rf"^\| `{name}` \| \| .*only in code \|$", page, re.MULTILINE)
    else:
        assert f"| `{name}` | `{variable}` |" in page


@pytest.mark.parametrize("variable", COMMAND_VARIABLES)
def test_every_variable_of_the_worker_command_is_documented(variable: str) -> None:
    """Each variable of the command line that is no setting is on the page about workers, or of the command line."""
    assert any(variable in (ROOT / "docs" / page).read_text() for page in ("workers.md", "operating.md"))


@pytest.mark.parametrize("name", sorted(set(DashboardSettings.model_fields)))
def test_every_setting_of_the_dashboard_is_documented(name: str) -> None:
    """Each setting of the dashboard is on its page."""
    assert f"`{name}`" in (ROOT / "docs" / "dashboard.md").read_text()


@cache
def _sessions() -> frozenset[str]:
    """Return the names of all sessions of nox."""
    command = [sys.executable, "-m", "nox", "--list", "--nocolor", "--noxfile", str(ROOT / "noxfile.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = frozenset(re.findall(r"^[*-] (\S+)", done.stdout, re.MULTILINE))
    assert "tests-3.13(postgres)" in names
    return names


def _run_by_workflows() -> list[str]:
    jobs = [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text())["jobs"].values()]
    return [name for job in jobs for name in _run_by(job)]


def _run_by(job: dict[str, Any]) -> list[str]:
    """Return the sessions that a job runs, for each combination of its matrix."""
    matrix: dict[str, list[str]] = job.get("strategy", {}).get("matrix", {})
    commands = [step["run"] for step in job["steps"] if "nox --sessions" in step.get("run", "")]
    names = []
    for values in product(*matrix.values()):
        for command in commands:
            filled = command.replace('"$name" $options', '"${{ matrix.session }}"')
            for variable, value in zip(matrix, values, strict=True):
                filled = filled.replace(f"${{{{ matrix.{variable} }}}}", value)
            [arguments] = re.findall(r"nox --sessions (.*)", filled)
            given = arguments.partition(" -- ")[0].partition(" #")[0]
            names += [one or two for one, two in re.findall(r'"([^"]+)"|(\S+)', given)]
    return [name.partition(" --")[0].strip('"') for name in names]


def _script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

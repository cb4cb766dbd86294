"""`tallystick new backend`: the distribution that it writes, built, installed and tested as its author would."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from example_environment import wheel


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a backend with a name of its own, build its wheel, and unpack that into a folder of packages."""
    folder = tmp_path_factory.mktemp("new")
    _python(folder, "-m", "tallystick.cli", "new", "backend", "rocket9", check=True)
    with ZipFile(wheel(folder / "tallystick-rocket9", folder)) as built:
        built.extractall(folder / "packages")
    return folder


def _python(folder: Path, *arguments: str, check: bool = False) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(folder / "packages")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=check
    )


def test_the_name_replaces_the_template(project: Path) -> None:
    """No file has the name of the template, and the package has its types."""
    files = [file for file in (project / "tallystick-rocket9").rglob("*") if file.is_file()]
    assert not [file for file in files if "acme" in f"{file.name} {file.read_text()}".lower()]
    assert project / "tallystick-rocket9" / "src" / "tallystick_rocket9" / "py.typed" in files


def test_it_is_installed_as_a_backend(project: Path) -> None:
    """`tallystick backends` lists its scheme, and its store can be set up and filled."""
    found = json.loads(_python(project, "-m", "tallystick.cli", "backends", "--json").stdout)
    assert [offer["distribution"] for offer in found if offer["scheme"] == "rocket9"] == ["tallystick-rocket9"]
    done = _python(project, "-m", "tallystick.cli", "run", "a", "--backend", "rocket9://x")
    assert done.stdout.startswith("enqueued: "), done.stderr


@pytest.mark.kit
def test_its_own_tests_pass(project: Path) -> None:
    """The generated test passes: the first clauses of the kit hold."""
    tests = str(project / "tallystick-rocket9" / "tests")
    done = _python(project, "-m", "pytest", "-q", "-p", "no:randomly", "--rootdir", tests, tests)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_the_kit_names_what_to_write_next(project: Path) -> None:
    """The kit finds no violation, and names the method that is missing first."""
    done = _python(project, "-m", "tallystick.cli", "conform", "rocket9://x", "--only=CLAIM-05", "--json")
    [clause] = json.loads(done.stdout)["clauses"]
    assert clause["status"] == "not written"
    assert "in claim" in clause["detail"]


@pytest.mark.parametrize("name", ["My-DB", "9db", "", "sqlite", "a" * 33])
def test_a_bad_name_is_rejected(tmp_path: Path, name: str) -> None:
    """A name that is no scheme, or that another backend has, is rejected, and nothing is written."""
    done = _python(tmp_path, "-m", "tallystick.cli", "new", "backend", name)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_existing_files_are_kept(tmp_path: Path) -> None:
    """If one of the files exists, none is written."""
    (tmp_path / "pyproject.toml").write_text("mine")
    done = _python(tmp_path, "-m", "tallystick.cli", "new", "backend", "rocket9", "--path", ".")
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["pyproject.toml"]

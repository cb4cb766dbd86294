"""The command line door."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner
from windlass_conformance import Target, command, conform, mutants
from windlass_conformance.clauses import CLAUSES
from windlass_conformance.mutants.memory_inserts import StripsNul
from windlass_conformance.plugin import windlass_cli

app = typer.Typer()
app.callback()(lambda: None)
windlass_cli(app)

runner = CliRunner()


def test_a_right_backend_exits_with_zero() -> None:
    """The summary says that it conforms."""
    result = runner.invoke(app, ["conform", "memory://", "--only", "RACE-01", "--only", "WAIT-05"])

    assert result.exit_code == 0
    assert result.output.startswith("memory:// conforms: 2 passed (quick, ")


def test_the_report_as_json() -> None:
    """With --json the output is the report and nothing else."""
    result = runner.invoke(app, ["conform", "run", "memory://", "--only", "CAP-02", "--json"])

    assert result.exit_code == 0
    assert [clause["status"] for clause in json.loads(result.stdout)["clauses"]] == ["not declared"]


def test_a_broken_backend_exits_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A violation is printed with its program, and the exit code is 1."""
    target = Target.from_class(StripsNul, "memory://")
    monkeypatch.setattr(command, "conform", lambda url, **options: conform(target, **options))
    result = runner.invoke(app, ["conform", "memory://", "--only", "PAYLOAD-01"])

    assert result.exit_code == 1
    assert "PAYLOAD-01 is broken: A payload is kept exactly, whatever its bytes." in result.output
    assert "    backend.insert(" in result.output
    assert "memory:// does not conform: 1 violated" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["acme://x"], "no installed plugin serves acme://"),
        (["memory://", "--only", "NOPE-01"], "no clause is called NOPE-01"),
        (["--only", "CLAIM-01"], "no URL"),
        (["memory"], "is not a backend URL"),
    ],
)
def test_misuse_exits_with_two(arguments: list[str], said: str) -> None:
    """A URL that cannot be opened, an unknown clause and a missing URL are told in one line."""
    result = runner.invoke(app, ["conform", *arguments])

    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_clauses_are_listed() -> None:
    """--list prints each clause with its sentence."""
    lines = runner.invoke(app, ["conform", "--list"]).output.splitlines()

    assert len(lines) == len(CLAUSES)
    assert lines[0].split()[0] == next(iter(CLAUSES))


def test_mutants_print_a_matrix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`conform mutants` prints each mutant's fate and writes the matrix as JSON."""
    monkeypatch.setattr(mutants, "SHIPPED", mutants.SHIPPED[:2])
    result = runner.invoke(app, ["conform", "mutants", "--json", str(tmp_path / "matrix.json")])

    assert result.exit_code == 0
    assert "2 of 2 mutants killed by the clause that they break" in result.output
    assert [entry["killed"] for entry in json.loads((tmp_path / "matrix.json").read_text())] == [True, True]

"""The clauses of `django.tasks`: right backends pass, and each clause finds a known bug."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import django
import pytest
from tallystick_conformance.django_tasks import CLAUSES, TaskReport

needs_tasks = pytest.mark.skipif(django.VERSION < (6, 0), reason="Django 5 has no tasks")


@cache
def statuses() -> dict[str, Any]:
    """Return the statuses of all backends. A process of its own has the settings of Django, which are global."""
    command = [sys.executable, "-W", "error", "-m", "task_backends.mutants"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@needs_tasks
@pytest.mark.parametrize(
    ("backend", "untested"),
    [("Reference", set()), ("Plain", {"DJANGO-03", "DJANGO-20", "DJANGO-21", "DJANGO-22"})],
)
def test_a_right_backend_passes(backend: str, untested: set[str]) -> None:
    """The backend that supports everything passes each clause. The one that supports nothing fails none."""
    found = statuses()["right"][backend]
    assert found.keys() == CLAUSES.keys()
    assert {id for id, status in found.items() if status.startswith("not applicable")} == untested
    assert [f"{id} {status}" for id, status in found.items() if status.startswith("failed")] == []


@needs_tasks
def test_each_clause_finds_its_mutant() -> None:
    """No clause passes on every backend."""
    wrong = statuses()["wrong"]
    assert {id for id, _, _ in wrong} == CLAUSES.keys()
    assert [f"{id} {name} {status}" for id, name, status in wrong if not status.startswith("failed: ")] == []


def test_the_table() -> None:
    """A cell has one line, and no bar of its own."""
    statuses: Any = dict.fromkeys(CLAUSES, "passed") | {"DJANGO-02": "failed"}
    report = TaskReport("acme", statuses, {"DJANGO-02": "a | b\nc"})
    assert f"| DJANGO-02 | {CLAUSES['DJANGO-02'].text} | failed | a \\| b |" in report.to_markdown().splitlines()
    assert not report.passed
    assert TaskReport.from_json(report.to_json()) == report


def test_a_report_of_a_part_has_not_passed() -> None:
    """Each clause must have been tested."""
    assert not TaskReport("acme", {"DJANGO-01": "passed"}, {}).passed
    assert TaskReport("acme", dict.fromkeys(CLAUSES, "passed"), {}).passed

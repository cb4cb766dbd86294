"""The page of the clauses of `django.tasks`, with the results that `nox -s django_tasks -- --write` records."""

import json
from pathlib import Path
from typing import Any

from tallystick_conformance.django_tasks import CLAUSES

RESULTS = Path(__file__).parent / "django_tasks.json"
NAMES = {
    "tallystick": ("tallystick-django", "`TallystickTasks`"),
    "immediate": ("Django", "`ImmediateBackend`"),
    "django_tasks_db": ("django-tasks-db", "`DatabaseBackend`"),
    "django_ox": ("django-ox", "`OxBackend`"),
}
_CELLS = {"passed": "passed", "failed": "**failed**", "not applicable": "-"}
_USE = """\
```python
from django.core.management import call_command
from django.test import TransactionTestCase
from tallystick_conformance.django_tasks import TaskBackendConformance


class TestAcme(TaskBackendConformance, TransactionTestCase):
    def work(self):
        call_command("acme_worker", batch=True)
```
"""


def page() -> str:
    """Return the page."""
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    head = " | ".join(f"{package} {results['versions'][subject]}" for subject, (package, _) in NAMES.items())
    return (
        "# Clauses of django.tasks\n\n"
        "Django 6 defines an interface for tasks, and other packages run them. The conformance kit tests such a "
        "backend, yours or ours, by these clauses. Each states a sentence of Django's reference or release "
        "notes. The kit's tests have a wrong backend for each clause. So each is known to fail where it should.\n\n"
        "## Test your backend\n\n"
        "Install `tallystick-conformance[django]`. Then write a class whose method `work` runs the tasks "
        "that are due:\n\n"
        f"<!--- skip: next -->\n\n{_USE}\n"
        "`manage.py test` runs it, and so does pytest with pytest-django. Each clause is a test of its own. This "
        "command runs the class alone and prints a table; `--json FILE` writes the results to a file:\n\n"
        "```console\npython -m tallystick_conformance.django_tasks acme.tests.TestAcme\n```\n\n"
        "If `work` starts a worker that runs on, stop it in a method `rest`. If the worker is another process, set "
        "`worker_in_process = False`: its signals are not tested then. `task_backend` is the alias of the backend in "
        'the setting `TASKS`, by default `"default"`.\n\n'
        "## Results\n\n"
        f"{results['date']}, Django {results['versions']['immediate']}, SQLite. `nox -s django_tasks` repeats the "
        "tests. A dash marks a clause that does not apply.\n\n"
        f"| id | clause | in Django's reference | {head} |\n|---|---|---|{'---|' * len(NAMES)}\n"
        + "".join(_row(id, results["reports"]) for id in CLAUSES)
        + f"| | passed | | {' | '.join(_passed(results['reports'][subject]) for subject in NAMES)} |\n"
        + _reasons(results["reports"])
    )


def _row(id: str, reports: dict[str, Any]) -> str:
    cells = " | ".join(_CELLS[reports[subject]["statuses"][id]] for subject in NAMES)
    return f"| {id} | {CLAUSES[id].text} | `{CLAUSES[id].source}` | {cells} |\n"


def _passed(report: dict[str, Any]) -> str:
    statuses = list(report["statuses"].values())
    return f"{statuses.count('passed')} of {len(statuses) - statuses.count('not applicable')}"


def _reasons(reports: dict[str, Any]) -> str:
    lines = [
        f"- {NAMES[subject][0]}, {id}: `{reports[subject]['reasons'][id]}`\n"
        for subject in NAMES
        for id, status in reports[subject]["statuses"].items()
        if status == "failed"
    ]
    return "\nThe kit reported:\n\n" + "".join(lines) if lines else ""

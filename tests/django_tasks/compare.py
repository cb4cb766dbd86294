"""Test four backends of `django.tasks` by the clauses of the kit: `nox -s django_tasks`.

With `--write`, it records the results in docs/django_tasks.json.
"""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
RESULTS = HERE.parent.parent / "docs" / "django_tasks.json"
SUBJECTS = {
    "tallystick": ("Tallystick", "tallystick-django"),
    "immediate": ("Immediate", "django"),
    "django_tasks_db": ("DatabaseBackend", "django-tasks-db"),
    "django_ox": ("OxBackend", "django-ox"),
}
"""The class of tests and the distribution of each backend."""


def tested(subject: str, suite: str, folder: Path) -> dict[str, object]:
    """Test one backend in a process of its own, and return its report."""
    report = folder / f"{subject}.json"
    command = [sys.executable, "-m", "tallystick_conformance.django_tasks", f"django_tasks.suites.{suite}"]
    ours = {"SUBJECT": subject, "SUBJECT_FOLDER": str(folder), "DJANGO_SETTINGS_MODULE": "django_tasks.settings"}
    done = subprocess.run(
        [*command, "--json", str(report)], env={**os.environ, **ours}, capture_output=True, text=True, check=False
    )
    if not report.exists():
        sys.exit(f"{subject} was not tested:\n{done.stderr}")
    read: dict[str, object] = json.loads(report.read_text(encoding="utf-8"))
    return read


def readable(reasons: object) -> dict[str, str]:
    """Return reasons without addresses of objects, so that two runs have equal results."""
    assert isinstance(reasons, dict)
    return {id: re.sub(r" object at 0x[0-9a-f]+", " object", reason) for id, reason in reasons.items()}


def main() -> int:
    """Return 0 if our backend passes each clause."""
    with TemporaryDirectory() as folder:
        reports = {subject: tested(subject, suite, Path(folder)) for subject, (suite, _) in SUBJECTS.items()}
    for subject, report in reports.items():
        print(f"{subject}: {report['statuses']}\n  {report['reasons']}")
    if "--write" in sys.argv:
        results = {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "versions": {subject: version(package) for subject, (_, package) in SUBJECTS.items()},
            "reports": {
                subject: {"statuses": report["statuses"], "reasons": readable(report["reasons"])}
                for subject, report in reports.items()
            },
        }
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    statuses = reports["tallystick"]["statuses"]
    assert isinstance(statuses, dict)
    return 0 if set(statuses.values()) == {"passed"} else 1


if __name__ == "__main__":
    sys.exit(main())

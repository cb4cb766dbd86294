"""Run one class of tests, and print the results as a table: `python -m tallystick_conformance.django_tasks CLASS`."""

import argparse
import sys
import unittest
from pathlib import Path
from typing import Any

import django
from django.test.runner import DiscoverRunner
from django.utils.module_loading import import_string

from .clauses import CLAUSES
from .report import Status, TaskReport
from .suite import method_name


class _Results(unittest.TestResult):
    """Collects the status of each clause."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, Status] = {}
        self.reasons: dict[str, str] = {}
        self._ids = {method_name(id): id for id in CLAUSES}

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802  # unittest's name
        self._put(test, "passed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self._put(test, "not applicable", reason)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self._put(test, "failed", str(err[1]))

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self._put(test, "failed", f"{err[0].__name__}: {err[1]}")

    def _put(self, test: unittest.TestCase, status: Status, reason: str = "") -> None:
        id = self._ids[test.id().rpartition(".")[2]]
        self.statuses[id] = status
        if reason:
            self.reasons[id] = reason


def run(suite: type[unittest.TestCase], target: str) -> TaskReport:
    """Test the clauses in the databases that Django makes for tests."""
    runner = DiscoverRunner(verbosity=0, interactive=False)
    runner.setup_test_environment()
    databases = runner.setup_databases()
    results = _Results()
    try:
        unittest.TestSuite(suite(method_name(id)) for id in CLAUSES).run(results)
    finally:
        runner.teardown_databases(databases)
        runner.teardown_test_environment()
    return TaskReport(target, results.statuses, results.reasons)


def main() -> int:
    """Return 0 if no clause failed."""
    parser = argparse.ArgumentParser(prog="python -m tallystick_conformance.django_tasks", description=__doc__)
    parser.add_argument("suite", metavar="CLASS", help="the import path of a class such as acme.tests.TestAcme")
    parser.add_argument("--name", help="the name of the backend in the table; by default that of the class")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    options = parser.parse_args()
    sys.path.insert(0, "")
    django.setup()
    suite = import_string(options.suite)
    report = run(suite, options.name or suite.__name__)
    if options.json is not None:
        options.json.write_text(report.to_json(), encoding="utf-8")
    print(report.to_markdown(), end="")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())

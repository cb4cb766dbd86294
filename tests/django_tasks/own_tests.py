"""Run Django's own tests of task backends on ours, from the sdist of Django: `nox -s django_own_tests`."""

import sys
import unittest
from pathlib import Path

import django
from django.test.runner import DiscoverRunner

MODULES = ("test_tasks", "test_dummy_backend", "test_immediate_backend")
"""The modules that test Django's backends. `test_custom_backend` has backends of its own."""

SUPPORTED = "tests that a feature is missing, which our backend has"
CHANGED = "changes a result in the list of Django's backend, and expects the change in `refresh`"
NOT_APPLICABLE = {
    "test_dummy_backend.DummyBackendTestCase.test_refresh_result": CHANGED,
    "test_dummy_backend.DummyBackendTestCase.test_refresh_result_async": CHANGED,
    "test_immediate_backend.ImmediateBackendTestCase.test_cannot_get_result": SUPPORTED,
    "test_immediate_backend.ImmediateBackendTestCase.test_cannot_pass_run_after": SUPPORTED,
    "test_immediate_backend.ImmediateBackendTestCase.test_cannot_refresh_result": SUPPORTED,
    "test_immediate_backend.ImmediateBackendTestCase.test_catches_exception": (
        "expects the traceback in the log of `django.tasks`; a worker writes it to the log of `tallystick`"
    ),
    "test_immediate_backend.ImmediateBackendTestCase.test_throws_keyboard_interrupt": (
        "expects that Ctrl-C in the caller's thread ends the call; a task runs in a worker"
    ),
}
"""Django's tests of behaviour that its documentation does not ask of other backends."""


def main(tests: Path) -> int:
    """Return 0 if each test passes that applies, and no other."""
    sys.path.insert(0, str(tests))
    django.setup()
    from django_tasks.stand_ins import in_place  # noqa: PLC0415  # after Django's setup

    runner = DiscoverRunner(verbosity=0, interactive=False)
    runner.setup_test_environment()
    databases = runner.setup_databases()
    result = unittest.TestResult()
    try:
        with in_place():
            unittest.defaultTestLoader.loadTestsFromNames([f"tasks.{name}" for name in MODULES]).run(result)
    finally:
        runner.teardown_databases(databases)
        runner.teardown_test_environment()
    failed = {_name(test): why for test, why in [*result.failures, *result.errors]}
    for name in failed.keys() - NOT_APPLICABLE.keys():
        print(f"FAILED {name}\n{failed[name]}")
    for name in NOT_APPLICABLE.keys() - failed.keys():
        print(f"PASSED, though it should not apply: {name}")
    for name, why in NOT_APPLICABLE.items():
        print(f"does not apply: {name}: {why}")
    print(f"{result.testsRun - len(failed)} passed, {len(failed)} failed or do not apply")
    return 0 if result.testsRun and failed.keys() == NOT_APPLICABLE.keys() else 1


def _name(test: unittest.TestCase) -> str:
    return test.id().partition(" ")[0].removeprefix("tasks.")  # without the parameters of a subtest


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

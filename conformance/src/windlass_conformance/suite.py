"""The pytest door: a class that a backend's tests inherit from."""

from typing import ClassVar

import pytest
from windlass import Backend

from .case import EXAMPLES
from .engine import run_examples
from .machine import STARTS
from .profiles import PROFILES, ProfileName
from .programs import run
from .report import Status
from .target import Target


class BackendConformance:
    """Every clause as a test. A backend's own suite is three lines:

        class TestAcme(BackendConformance):
            url = "acme://localhost/test"

    In place of `url` a class may define `make_backend(self, namespace)`.
    """  # noqa: D415 - the example ends the sentence

    url: ClassVar[str] = ""
    profile: ClassVar[ProfileName] = "quick"

    def make_backend(self, namespace: str) -> Backend:
        """Open a new client of the store called by a namespace."""
        raise NotImplementedError(f"{type(self).__name__} has neither a url nor a make_backend(self, namespace)")

    @pytest.mark.parametrize("clause_id", sorted(EXAMPLES))
    def test_clause(self, clause_id: str) -> None:
        """The backend keeps this clause in each of its examples."""
        target = self._target()
        result = run_examples(clause_id, target, PROFILES[self.profile], target.probe())
        failure = result.violation or result.error
        if failure is not None:
            raise failure
        if result.status is not Status.PASSED:
            pytest.skip(f"{result.status}: {result.detail}")

    @pytest.mark.parametrize("start", sorted(STARTS))
    def test_model(self, start: str) -> None:
        """Generated programs agree with the model under every clause."""
        run(self._target(), PROFILES[self.profile], STARTS[start])

    def _target(self) -> Target:
        return Target.of(self.url or self.make_backend)

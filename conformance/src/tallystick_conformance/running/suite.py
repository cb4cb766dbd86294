"""The pytest class that a backend's tests inherit from."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from tallystick import Backend

from ..contract.clauses import CLAUSES
from ..harness.profiles import PROFILES, ProfileName
from ..harness.shares import incomplete
from ..reports.result import Result, Status
from ..subject.first_look import looked_at
from ..subject.target import Target
from ..tiers.programs.run import MODEL_CLAUSES
from .known import applied, checked
from .session import Session


class BackendConformance:
    """Tests every clause of the contract on a backend. Inherit from it:

        class TestAcme(BackendConformance):
            url = "acme://localhost/test"

    Instead of `url`, a class may define `make_backend(self, namespace)`. To expect failures, list each with a link:
    `known_failures = {"CLAIM-03": "https://..."}`. A known failure that passes fails its test.
    """  # noqa: D415 - the example ends the sentence

    url: ClassVar[str] = ""
    profile: ClassVar[ProfileName] = "quick"
    known_failures: ClassVar[Mapping[str, str]] = {}
    _session: ClassVar[Session | None] = None
    _programs: ClassVar[dict[str, Result]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._session, cls._programs = None, {}

    def make_backend(self, namespace: str) -> Backend:
        """Open a new client of the store with this namespace."""
        raise NotImplementedError(f"{type(self).__name__} has neither a url nor a make_backend(self, namespace)")

    @pytest.mark.parametrize("clause_id", CLAUSES)
    def test_clause(self, clause_id: str) -> None:
        """The backend keeps this clause, in its examples and in generated programs."""
        result = self._result_of(clause_id)
        if result.status is Status.KNOWN:
            pytest.xfail(result.detail)
        if result.violation or result.error:
            raise result.violation or result.error  # type: ignore[misc] # one of the two is there
        if result.status in (Status.ERROR, Status.NOT_REACHED):
            pytest.fail(result.detail)
        if missing := incomplete(result.shares):
            pytest.skip(missing)
        if result.status is not Status.PASSED:
            pytest.skip(f"{result.status}: {result.detail}")

    def _result_of(self, id: str) -> Result:
        session = self._begun()
        result = session.examples(id)
        if result.status is Status.PASSED and id in MODEL_CLAUSES:
            result = self._of_programs(session)[id]
        return applied(session.known, result)

    def _begun(self) -> Session:
        cls = type(self)
        if cls._session is None:
            target = Target.of(self.url or self.make_backend)
            known = checked(self.known_failures)
            cls._session = Session(
                target, PROFILES[self.profile], looked_at(target).capabilities, known, everything=False
            )
        return cls._session

    def _of_programs(self, session: Session) -> dict[str, Result]:
        """Return the results of the generated programs, which run once for all tests of the class."""
        if not self._programs:
            self._programs.update((result.clause_id, result) for result in session.programs(MODEL_CLAUSES))
        return self._programs

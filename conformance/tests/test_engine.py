"""The engine: what it reports of right, broken and unreachable backends."""

import json
from typing import Any, NoReturn

import pytest
from windlass import Backend, Filter, NewRecord, Unavailable, UnknownScheme
from windlass_conformance import CLAUSES, Result, Status, Target, conform
from windlass_conformance.case import EXAMPLES
from windlass_conformance.mutants.memory_claims import ClaimsBeforeDue, SortsByTime
from windlass_conformance.mutants.memory_inserts import StripsNul
from windlass_conformance.programs import MODEL_CLAUSES
from windlass_memory import MemoryBackend


def test_the_memory_backend_conforms() -> None:
    """Every clause of the core is reached and kept by the memory backend; what it does not declare is told apart."""
    report = conform("memory://")

    assert report.passed, "\n\n".join(result.detail for result in report.failures)
    assert [result.clause_id for result in report.results] == list(CLAUSES)
    undeclared = {result.clause_id for result in report.results if result.status is Status.NOT_DECLARED}
    assert undeclared == {"CAP-02", "CAP-03", "RACE-10", "RACE-11"}


def test_each_clause_has_a_test() -> None:
    """Every clause is tested by examples or by generated programs, and every example is for a clause."""
    assert set(CLAUSES) == set(EXAMPLES) | set(MODEL_CLAUSES)


def test_every_broken_clause_is_reported_with_its_program() -> None:
    """After a violation the other clauses are still judged, and the shortest program is shown."""

    class Twice(ClaimsBeforeDue, SortsByTime):
        """Two bugs at once."""

    clauses = ["CLAIM-02", "CLAIM-05", "STATS-01", "TIME-08"]
    report = conform(Target.from_class(Twice, "memory://"), only=clauses)
    by_id = {result.clause_id: result for result in report.results}

    assert not report.passed
    assert by_id["TIME-08"].status is by_id["STATS-01"].status is Status.PASSED
    assert {violation.clause_id for violation in report.violations} == {"CLAIM-02", "CLAIM-05"}
    for violation in report.violations:
        assert violation.steps[-1].startswith("backend.claim(")
        assert len(violation.steps) <= 6
        assert str(violation).startswith(f"{violation.clause_id} is broken: ")


def test_progress_and_only() -> None:
    """`only` restricts the run to some clauses, and each result is told as it comes."""
    told: list[Result] = []
    report = conform("memory://", only=["WAIT-02", "PAYLOAD-01"], on_progress=told.append)

    assert [result.clause_id for result in report.results] == ["PAYLOAD-01", "WAIT-02"]
    assert told == report.results


def test_a_crash_is_an_error_and_not_a_violation() -> None:
    """An example stopped by an unexpected exception fails, and says where it was raised."""

    class Crashes(MemoryBackend):
        def queues(self) -> NoReturn:
            raise RuntimeError("boom")

    report = conform(Target.from_class(Crashes, "memory://"), only=["SETUP-01"])

    assert not report.passed
    assert report.results[0].status is Status.ERROR
    assert "RuntimeError('boom')" in report.results[0].detail


def test_a_crash_in_a_program_breaks_the_clause_on_calls() -> None:
    """In generated programs a call that raises is a violation of CALL-01, with its program."""

    class Crashes(MemoryBackend):
        def get(self, ids: Any) -> NoReturn:
            raise RuntimeError("boom")

    report = conform(Target.from_class(Crashes, "memory://"), only=["CALL-01"])

    assert [violation.clause_id for violation in report.violations] == ["CALL-01"]
    assert "boom" in report.violations[0].observed


def test_a_function_is_a_target_and_nothing_is_left() -> None:
    """A `make_backend` is called with namespaces, and every store that it opened is empty in the end."""
    namespaces: set[str] = set()

    def make_backend(namespace: str) -> Backend:
        namespaces.add(namespace)
        return MemoryBackend.from_url(f"memory://left.{namespace}")

    report = conform(make_backend, only=["SETUP-03", "SETUP-06", "CLOSE-01"])

    assert report.passed
    assert [result.status for result in report.results] == [Status.PASSED, Status.NOT_RUN, Status.PASSED]
    assert len(namespaces) == 2
    for namespace in namespaces:
        with MemoryBackend.from_url(f"memory://left.{namespace}") as backend:
            assert backend.list(Filter(), limit=1) == []
            assert backend.queues() == []


def test_an_unreachable_store_is_an_error_of_its_own() -> None:
    """A store that cannot be opened or set up raises the backend's error, and is not a failed clause."""

    class Unreachable(MemoryBackend):
        def setup(self) -> NoReturn:
            raise Unavailable("no route to the store")

    with pytest.raises(Unavailable):
        conform(Target.from_class(Unreachable, "memory://"))
    with pytest.raises(UnknownScheme):
        conform("acme://nowhere")


def test_the_report_is_json() -> None:
    """A report can be written as JSON, violations and their programs included."""
    written = json.loads(conform(Target.from_class(StripsNul, "memory://"), only=["PAYLOAD-01"]).to_json())

    assert written["passed"] is False
    assert written["capabilities"]["time_precision"] == 1e-06
    assert written["clauses"][0]["status"] == "violated"
    assert written["clauses"][0]["steps"]


def test_backends_do_not_share_what_the_kit_stores() -> None:
    """The kit works beside a store, and leaves what is in it alone."""
    with MemoryBackend.from_url("memory://mine") as mine:
        mine.insert([NewRecord(kind="k")])
        conform("memory://mine", only=["SETUP-02", "QUERY-04"])

        assert mine.stats().total == 1
        mine.teardown()

"""The engine: its reports on correct, broken and unreachable backends."""

import json
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from tallystick import Backend, ConfigurationError, Filter, NewRecord, Unavailable, UnknownScheme
from tallystick_conformance import CLAUSES, Interrupted, Result, Status, Target, conform
from tallystick_conformance.contract.clauses import family
from tallystick_conformance.contract.ways import WAYS
from tallystick_conformance.harness.case import EXAMPLES, Case
from tallystick_conformance.tiers.programs.run import MODEL_CLAUSES
from tallystick_memory import MemoryBackend
from tallystick_mutants.memory.claim import ClaimsBeforeDue, SortsByTime
from tallystick_mutants.memory.payload import StripsNul


@pytest.mark.kit
def test_the_memory_backend_conforms() -> None:
    """The memory backend passes every clause of the core; clauses of undeclared capabilities are reported as such."""
    report = conform("memory://")

    assert report.passed, "\n\n".join(result.detail for result in report.failures)
    assert [result.clause_id for result in report.results] == list(CLAUSES)
    assert report.ways == set(WAYS), "generated programs take each way of the table"
    undeclared = {result.clause_id for result in report.results if result.status is Status.NOT_DECLARED}
    assert undeclared == {
        id for id, clause in CLAUSES.items() if clause.level in ("durable", "multi_process", "transactions")
    }


def test_each_clause_has_a_test() -> None:
    """Every clause has examples or generated programs, and every example belongs to a clause."""
    assert set(CLAUSES) == set(EXAMPLES) | set(MODEL_CLAUSES)


def test_examples_are_found_by_their_family() -> None:
    """An example in the package `examples` is in the module of its clause's family, or in one whose name begins so."""
    modules = {(family(id), function.__module__) for id, functions in EXAMPLES.items() for function in functions}
    directed = {(name, module.rpartition(".")[2]) for name, module in modules if ".examples." in module}

    assert [(name, module) for name, module in directed if module.split("_")[0] != name.lower()] == []


class Twice(ClaimsBeforeDue, SortsByTime):
    """Has two bugs in one family of clauses."""


TWO_FAMILIES = ["CLAIM-02", "CLAIM-05", "STATS-01", "TIME-08"]


@pytest.mark.kit
@pytest.mark.usefixtures("short_programs")
def test_after_the_first_of_a_family_the_rest_is_not_judged() -> None:
    """One root cause is reported once, and other families are still judged."""
    report = conform(Target.from_class(Twice, "memory://"), only=TWO_FAMILIES)
    by_id = {result.clause_id: result for result in report.results}
    (violation,) = report.violations
    (other,) = {"CLAIM-02", "CLAIM-05"} - {violation.clause_id}

    assert not report.passed
    assert by_id["TIME-08"].status is by_id["STATS-01"].status is Status.PASSED
    assert by_id[other].status is Status.NOT_JUDGED
    assert by_id[other].detail == f"not judged: {violation.clause_id} failed first"


@pytest.mark.kit
@pytest.mark.usefixtures("short_programs")
def test_with_everything_each_broken_clause_is_reported() -> None:
    """With `everything`, the rest of a family is judged after a violation, which shows its shortest program."""
    report = conform(Target.from_class(Twice, "memory://"), only=TWO_FAMILIES[:2], everything=True)

    assert {violation.clause_id for violation in report.violations} == {"CLAIM-02", "CLAIM-05"}
    for violation in report.violations:
        assert violation.steps[-1].startswith("backend.claim(")
        assert len(violation.steps) <= 12
        assert str(violation).startswith(f"{violation.clause_id} is broken: ")


def test_examples_of_a_family_are_not_run_after_its_first_failure() -> None:
    """When the first payload clause fails, the others are not judged."""
    report = conform(Target.from_class(StripsNul, "memory://"), only=["PAYLOAD-01", "PAYLOAD-02", "BATCH-01"])

    assert [result.status for result in report.results if result.clause_id != "BATCH-01"] == [
        Status.VIOLATED,
        Status.NOT_JUDGED,
    ]


def test_known_failures_are_strict() -> None:
    """A known failure that fails is `known` and blocks no other clause; one that passes is an error."""
    known = {"PAYLOAD-01": "https://example.org/1", "BATCH-01": "https://example.org/2"}
    report = conform(Target.from_class(StripsNul, "memory://"), only=[*known, "PAYLOAD-02"], known_failures=known)
    by_id = {result.clause_id: result for result in report.results}

    assert by_id["PAYLOAD-01"].status is Status.KNOWN
    assert by_id["PAYLOAD-02"].status is Status.PASSED
    assert [result.clause_id for result in report.failures] == ["BATCH-01"]
    assert "https://example.org/2" in by_id["BATCH-01"].detail


def test_an_interrupt_carries_what_was_found() -> None:
    """After an interrupt, the report has each result so far, the other clauses are `not run`, and no store is left."""
    opened: set[str] = set()

    class Interrupts(MemoryBackend):
        def __init__(self, name: str = "") -> None:
            super().__init__(name)
            opened.add(name)

        def wait(self, queues: Any, *, timeout: Any) -> NoReturn:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        conform(Target.from_class(Interrupts, "memory://cut"), only=["PAYLOAD-01", "WAIT-01", "WAIT-02", "CAP-01"])
    report = caught.value.report
    by_id = {result.clause_id: result.status for result in report.results}

    assert report.interrupted
    assert not report.passed
    assert by_id["PAYLOAD-01"] is Status.PASSED
    assert by_id["WAIT-01"] is by_id["WAIT-02"] is Status.NOT_RUN
    for name in opened:
        with MemoryBackend(name) as backend:
            assert backend.queues() == []


@pytest.mark.usefixtures("short_programs")
@pytest.mark.kit
def test_a_seed_draws_the_same_programs() -> None:
    """Two runs with the same seed find the same program; the report has the seed, and quick needs none."""

    class ForgetsRunAt(MemoryBackend):
        def insert(self, records: Any, **options: Any) -> Any:
            return super().insert([replace(record, run_at=None) for record in records], **options)

    target = Target.from_class(ForgetsRunAt, "memory://")
    first, again = (conform(target, only=["INSERT-02"], seed=7) for _ in range(2))

    assert first.seed == 7
    assert first.violations[0].steps == again.violations[0].steps
    assert conform("memory://", only=["CAP-01"]).seed == 0


def test_a_soak_goes_on_with_other_seeds() -> None:
    """A soak repeats the clauses that hold until its minutes are over, which are its budget."""
    reported: list[Result] = []
    report = conform("memory://", only=["CAP-01"], profile="soak", minutes=0.001, on_progress=reported.append)

    assert len(reported) > 1
    assert {result.status for result in reported} == {Status.PASSED}
    assert report.budget_seconds == pytest.approx(0.06)
    assert len(report.results) == 1


def test_progress_and_only() -> None:
    """`only` restricts the run to some clauses, and each result is reported as soon as it is known."""
    reported: list[Result] = []
    report = conform("memory://", only=["WAIT-02", "PAYLOAD-01"], on_progress=reported.append)

    assert [result.clause_id for result in report.results] == ["PAYLOAD-01", "WAIT-02"]
    assert reported == report.results


def test_only_takes_a_family() -> None:
    """A family selects its clauses, and an unknown name is rejected."""
    report = conform("memory://", only=["CAP", "BATCH-01"])

    assert [result.clause_id for result in report.results] == [
        id for id in CLAUSES if id.startswith("CAP-") or id == "BATCH-01"
    ]
    assert report.is_partial
    with pytest.raises(ConfigurationError, match="CAPS"):
        conform("memory://", only=["CAPS"])


def test_a_crash_of_an_example_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception from the example itself is an error, and the result names its location."""

    def crashes(_case: Case) -> NoReturn:
        raise RuntimeError("boom")

    monkeypatch.setitem(EXAMPLES, "SETUP-01", [crashes])
    report = conform("memory://", only=["SETUP-01"])

    assert not report.passed
    assert report.results[0].status is Status.ERROR
    assert "RuntimeError('boom')" in report.results[0].detail


def test_a_crash_of_the_backend_is_a_violation() -> None:
    """A valid call that raises is a violation, whether the example made it or the kit read the store with it."""

    class Crashes(MemoryBackend):
        def queues(self) -> NoReturn:
            raise RuntimeError("boom")

    report = conform(Target.from_class(Crashes, "memory://"), only=["SETUP-01"])

    assert [violation.clause_id for violation in report.violations] == ["SETUP-01"]
    assert "boom" in report.violations[0].observed


def test_a_crash_in_a_program_breaks_the_clause_on_calls() -> None:
    """In generated programs, a call that raises violates CALL-01, and the violation shows the program."""

    class Crashes(MemoryBackend):
        def get(self, ids: Any) -> NoReturn:
            raise RuntimeError("boom")

    report = conform(Target.from_class(Crashes, "memory://"), only=["CALL-01"])

    assert [violation.clause_id for violation in report.violations] == ["CALL-01"]
    assert "boom" in report.violations[0].observed


def test_a_function_is_a_target_and_nothing_is_left() -> None:
    """The kit calls a `make_backend` with namespaces, and removes every store at the end."""
    namespaces: set[str] = set()

    def make_backend(namespace: str) -> Backend:
        namespaces.add(namespace)
        return MemoryBackend.from_url(f"memory://left.{namespace}")

    report = conform(make_backend, only=["SETUP-03", "SETUP-06", "CLOSE-01"])

    assert report.passed
    assert [result.status for result in report.results] == [Status.PASSED, Status.NOT_RUN, Status.PASSED]
    assert len(namespaces) >= 2
    for namespace in namespaces:
        with MemoryBackend.from_url(f"memory://left.{namespace}") as backend:
            assert backend.list(Filter(), limit=1) == []
            assert backend.queues() == []


def test_an_unreachable_store_is_an_error_of_its_own() -> None:
    """If a store cannot be opened or set up, the run raises the backend's error; no clause fails."""

    class Unreachable(MemoryBackend):
        def setup(self) -> NoReturn:
            raise Unavailable("no route to the store")

    with pytest.raises(Unavailable):
        conform(Target.from_class(Unreachable, "memory://"))
    with pytest.raises(UnknownScheme):
        conform("acme://nowhere")


def test_the_report_is_json() -> None:
    """A report as JSON includes the violations and their programs."""
    written = json.loads(conform(Target.from_class(StripsNul, "memory://"), only=["PAYLOAD-01"]).to_json())

    assert written["passed"] is False
    assert written["capabilities"]["time_precision"] == 1e-06
    assert written["clauses"][0]["status"] == "violated"
    assert written["clauses"][0]["steps"]


def test_backends_do_not_share_what_the_kit_stores() -> None:
    """The kit does not change the store at the URL."""
    with MemoryBackend.from_url("memory://mine") as mine:
        mine.insert([NewRecord(kind="k")])
        conform("memory://mine", only=["SETUP-02", "QUERY-04"])

        assert mine.stats().total == 1
        mine.teardown()

"""Differential testing: make each call on a backend and on the model, and compare the results under their clauses.

If the contract leaves a choice to the backend, the kit checks that the choice is valid, and the model follows it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import Any, TypeVar
from uuid import UUID

from tallystick import (
    Backend,
    Changes,
    Claim,
    Filter,
    Hold,
    Inserted,
    NewRecord,
    Order,
    Outcome,
    ProgressReport,
    Record,
    State,
)

from ...contract.eligibility import fits, is_changed, is_eligible, is_on_page, takes_key
from ...contract.model import Model, bare
from ...contract.typed import flaws
from ...harness.violation import Violation
from ...subject.sources import sources
from ...subject.tracing import traced
from . import clause_of
from .judge import Judge, Unarmed

AnswerT = TypeVar("AnswerT")

_PAGE_CLAUSES: dict[Order, str] = {"id": "QUERY-02", "finished_at": "PAGE-01", "run_at": "PAGE-02"}

_MANY = 10_000
"""A limit above the number of jobs in any program."""


class Pair:
    """A backend and the model. Each method makes a call on both; `sweep` compares the whole stores."""

    def __init__(self, backend: Backend, judge: Judge) -> None:
        self.backend = traced(backend, judge.steps)
        self.raw = backend
        self.judge = judge
        self.model = Model()
        self._touched: dict[UUID, str] = {}
        self._harmless = False

    def insert(self, records: Sequence[NewRecord], *, now: datetime) -> None:
        """Insert, and compare each result."""
        answers = self.answer(lambda: self.backend.insert(records, now=now))
        self.judge.that("INSERT-03", len(answers) == len(records), f"{len(records)} results", answers)
        earlier: set[UUID] = set()
        for new, answer in zip(records, answers, strict=True):
            clause = clause_of.insert(self.model, new, earlier, now)
            conflict = clause_of.conflict(self.model, new, earlier, now)
            expected = self.model.insert(new, now)
            self.judge.equal(clause, expected.created, answer.created)
            self._compare_inserted(expected, answer, clause, conflict)
            if expected.created:
                earlier.add(new.id)
            if expected.created or expected.applied:
                self._touched[expected.record.id] = "INSERT-01" if expected.created else conflict

    def _compare_inserted(self, expected: Inserted, answer: Inserted, clause: str, conflict: str) -> None:
        self._is_typed(answer.record)
        self.judge.equal(conflict, expected.applied, answer.applied)
        if not expected.created:
            self.judge.equal(clause, expected.record.id, answer.record.id)
            self._has_no_details(answer.record)
            self.judge.equal(conflict, bare(expected.record), answer.record)
            return
        self.judge.equal("INSERT-03", expected.record.id, answer.record.id)
        self.judge.equal("INSERT-02", expected.record.run_at, answer.record.run_at)
        self.judge.equal("INSERT-01", expected.record, answer.record)

    def claim(self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime) -> None:
        """Claim, and compare the returned jobs, their order and their fields."""
        got = self.answer(lambda: self.backend.claim(queues, limit=limit, worker=worker, lease=lease, now=now))
        ids = [record.id for record in got]
        self.judge.that(
            "CLAIM-06", len(ids) <= limit and len(set(ids)) == len(ids), f"at most {limit} jobs, each once", got
        )
        for id in ids:
            self._may_be_claimed(id, queues, now)
        expected = self.model.due(queues, now)[:limit]
        at_edge = {record.id for record in expected if record.run_at == now}
        self.judge.counts["TIME-01"] += bool(at_edge)
        missing = {record.id for record in expected} - set(ids)
        again = partial(self.raw.claim, queues, limit=_MANY, worker=worker, lease=lease)
        if len(got) < len(expected) and missing <= at_edge and self._edge_matters(missing, again, now):
            self.judge.that("TIME-01", False, f"also {clause_of.names(missing)}, due exactly now", got)
        self.judge.that(
            "CLAIM-07", len(got) == len(expected), f"{len(expected)} jobs: {clause_of.names(expected)}", got
        )
        self.judge.that("CLAIM-05", [r.id for r in expected] == ids, f"in this order: {clause_of.names(expected)}", got)
        for record in got:
            self._is_typed(record)
            self.model.claim(record.id, worker, lease, now)
            self.judge.equal("CLAIM-09", now + lease, record.lease_until)
            self._has_no_details(record)
            self.judge.equal("CLAIM-08", bare(self.model.records[record.id]), record)
            self._touched[record.id] = "CLAIM-08"

    def _edge_matters(self, missing: Set[UUID], again: Callable[..., Sequence[Record]], now: datetime) -> bool:
        """Return whether jobs are missing only because of the exact moment: the call returns them one second later.

        First the same call is repeated. A job that it returns now was missing for another reason.
        """
        with suppress(Exception):
            if not missing & {record.id for record in again(now=now)}:
                return missing <= {record.id for record in again(now=now + timedelta(seconds=1))}
        return False

    def _may_be_claimed(self, id: UUID, queues: Sequence[str], now: datetime) -> None:
        record = self.model.records.get(id)
        if record is None:
            self.judge.that("RECORD-02", False, "jobs that are stored", id)
            return
        self.judge.that("CLAIM-01", is_eligible("claim", record), "pending or retrying jobs", record)
        self.judge.that("CLAIM-02", record.run_at <= now, f"jobs due at {now.isoformat()}", record)
        self.judge.that("CLAIM-03", record.queue in queues, f"jobs of the queues {list(queues)}", record)
        self.judge.that("CLAIM-04", not self.model.paused[record.queue], "no job of a paused queue", record)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime) -> None:
        """Extend, and compare each result."""
        holds = self.answer(lambda: self.backend.extend(claims, lease=lease, now=now))
        self.judge.that("LEASE-05", len(holds) == len(claims), f"{len(claims)} results", holds)
        for claim, hold in zip(claims, holds, strict=True):
            record = self.model.current(claim)
            clause = clause_of.extend(record, now)
            expected = Hold.LOST if record is None else Hold.HELD
            if record is not None:
                expected = Hold.CANCEL_REQUESTED if record.cancel_requested else Hold.HELD
                self.model.extend(claim.id, lease, now)
                self._touched[claim.id] = clause
            self.judge.that(clause, hold == expected, f"{expected.name} for {claim}", hold)
            self.judge.that("CALL-02", isinstance(hold, Hold), f"Hold.{expected.name}", hold)

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime) -> None:
        """Report progress, and compare each result."""
        stored = self.answer(lambda: self.backend.report_progress(reports, now=now))
        self.judge.that("PROGRESS-03", len(stored) == len(reports), f"{len(reports)} results", stored)
        for report, answer in zip(reports, stored, strict=True):
            is_current = self.model.current(report.claim) is not None
            clause = "PROGRESS-01" if is_current else "PROGRESS-02"
            self.judge.that(clause, answer is is_current, f"{is_current} for {report}", answer)
            self._touched.setdefault(report.claim.id, clause)
            if is_current:
                self._touched[report.claim.id] = clause
                self.model.report(report, now)

    def settle(self, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Settle, and compare each result."""
        applied = self.answer(lambda: self.backend.settle(outcomes, now=now))
        self.judge.that("SETTLE-07", len(applied) == len(outcomes), f"{len(outcomes)} results", applied)
        earlier: set[Claim] = set()
        for outcome, answer in zip(outcomes, applied, strict=True):
            record = self.model.current(outcome.claim)
            clause = clause_of.settle(record, outcome, earlier)
            self.judge.that(clause, answer is (record is not None), f"{record is not None} for {outcome}", answer)
            if record is not None:
                self.model.settle(outcome, now)
                self._touched[record.id] = clause
                earlier.add(outcome.claim)

    def rescue(self, *, limit: int, now: datetime) -> None:
        """Rescue; the model follows the backend's choice."""
        got = self.answer(lambda: self.backend.rescue(limit=limit, now=now))
        expired = {record.id: record for record in self.model.expired(now)}
        ids = [record.id for record in got]
        self.judge.that("RESCUE-01", set(ids) <= set(expired), f"only {clause_of.names(expired.values())}", got)
        at_edge = {record.id for record in expired.values() if record.lease_until == now}
        self.judge.counts["TIME-02"] += bool(at_edge)
        missing = set(expired) - set(ids)
        again = partial(self.raw.rescue, limit=_MANY)
        if len(got) < min(limit, len(expired)) and missing <= at_edge and self._edge_matters(missing, again, now):
            self.judge.that("TIME-02", False, f"also {clause_of.names(missing)}, expired exactly now", got)
        self._all_of("RESCUE-05", ids, expired, limit)
        for record in got:
            clause = clause_of.rescue(self.model.records[record.id])
            self.model.rescue(record.id, now)
            self._touched[record.id] = clause
            self._has_no_details(record)
            self.judge.equal(clause, bare(self.model.records[record.id]), record)

    def cancel(self, filter: Filter, *, limit: int, now: datetime) -> None:
        """Cancel; the model follows the backend's choice."""
        got = self.answer(lambda: self.backend.cancel(filter, limit=limit, now=now))
        allowed = self._chosen(got, filter, "CANCEL-03", "cancel")
        self._all_of("CANCEL-04", got, allowed, limit)
        for id in got:
            self._touched[id] = "CANCEL-02" if self.model.records[id].state is State.RUNNING else "CANCEL-01"
            self.model.cancel(id, now)

    def requeue(self, filter: Filter, *, limit: int, now: datetime) -> None:
        """Requeue; the model follows the backend's choice."""
        got = self.answer(lambda: self.backend.requeue(filter, limit=limit, now=now))
        idle = self._chosen(got, filter, "REQUEUE-03", "requeue")
        taking = {r.id: r.unique_key for r in idle.values() if r.unique_key is not None and takes_key(r, now)}
        free = [r for r in idle.values() if (self.model.holder(taking.get(r.id), now) or r).id == r.id]
        rivals = {taking.get(r.id, r.id) for r in free}
        keys = [taking.get(id, id) for id in got]
        keyless = {r.id for r in free if r.unique_key is not None and r.id not in taking}
        if len(got) < limit and len(keys) == len(rivals - keyless):
            self.judge.that("REQUEUE-06", keyless <= set(got), f"also {clause_of.names(keyless)}, without a key", got)
        allowed = {record.id for record in free}
        ok = set(got) <= allowed and len(set(keys)) == len(keys)
        self.judge.that("REQUEUE-04", ok, f"only {clause_of.names(free)}, at most one per unique key", got)
        self._all_of("REQUEUE-05", got, rivals, limit)
        for id in got:
            record = self.model.records[id]
            self._touched[id] = "REQUEUE-02" if record.attempt >= record.max_attempts else "REQUEUE-01"
            self.model.requeue(id, now)

    def delete(self, filter: Filter, *, limit: int) -> None:
        """Delete; the model follows the backend's choice."""
        got = self.answer(lambda: self.backend.delete(filter, limit=limit))
        allowed = self._chosen(got, filter, "DELETE-01", "delete")
        self._all_of("DELETE-02", got, allowed, limit)
        stored = {record.id for record in self.raw.list(Filter(), limit=_MANY)}
        for id in got:
            self.judge.that("DELETE-02", id not in stored, f"{id} is removed", "it is still listed")
            del self.model.records[id]

    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime) -> None:
        """Update; the model follows the backend's choice."""
        got = self.answer(lambda: self.backend.update(filter, changes, limit=limit, now=now))
        waiting = self._chosen(got, filter, "UPDATE-02", "update")
        allowed = {id for id, record in waiting.items() if is_changed(record, changes)}
        self.judge.that("UPDATE-02", set(got) <= allowed, f"only {clause_of.names(allowed)}", got)
        self._all_of("UPDATE-03", got, allowed, limit)
        for id in got:
            self._touched[id] = "UPDATE-01"
            self.model.update(id, changes, now)

    def purge(self, states: Sequence[State], *, before: datetime, limit: int, **selection: Any) -> None:
        """Purge; the model follows the backend's choice."""
        count = self.answer(lambda: self.backend.purge(states, before=before, limit=limit, **selection))
        finished = {record.id for record in self.model.purgeable(states, before=before)}
        allowed = {record.id for record in self.model.purgeable(states, before=before, **selection)}
        kept = {record.id for record in self.raw.list(Filter(), limit=_MANY)}
        gone = set(self.model.records) - kept
        if selection and gone <= finished:
            self.judge.that("PURGE-03", gone <= allowed, f"only {clause_of.names(allowed)} removed", gone)
        self.judge.that("PURGE-01", gone <= allowed, f"only {clause_of.names(allowed)} removed", gone)
        self.judge.that("PURGE-02", count == len(gone) == min(limit, len(allowed)), min(limit, len(allowed)), count)
        for id in gone:
            del self.model.records[id]

    def restore(self, records: Sequence[Record], *, now: datetime) -> None:
        """Restore whole records, and compare each result."""
        answers = self.answer(lambda: self.backend.restore(records, now=now))
        self.judge.that("RESTORE-02", len(answers) == len(records), f"{len(records)} results", answers)
        expected = self.model.restore(records, now) or []
        self.judge.equal("RESTORE-02", expected, list(answers))
        self.has_new([record.id for record, is_new in zip(records, expected, strict=True) if is_new], "RESTORE-01")

    def pause(self, queue: str) -> None:
        """Pause a queue."""
        self.answer(lambda: self.backend.pause(queue))
        self._harmless = self.model.paused.get(queue, False)
        self.model.paused[queue] = True

    def resume(self, queue: str) -> None:
        """Resume a queue."""
        self.answer(lambda: self.backend.resume(queue))
        self._harmless = not self.model.paused.get(queue, False)
        if queue in self.model.paused:
            self.model.paused[queue] = False

    def get(self, ids: Sequence[UUID]) -> None:
        """Get by ids."""
        got = self.answer(lambda: self.backend.get(ids))
        self.judge.equal("QUERY-01", {id: self.model.records[id] for id in ids if id in self.model.records}, got)

    def count(self, filter: Filter, *, at_most: int) -> None:
        """Count."""
        got = self.answer(lambda: self.backend.count(filter, at_most=at_most))
        self.judge.equal("COUNT-01", min(at_most, len(self.model.fitting(filter))), got)

    def page_by(self, filter: Filter, *, limit: int, order: Order, after: Any) -> None:
        """List one page in any order."""
        got = self.answer(lambda: self.backend.list(filter, limit=limit, order=order, after=after))
        clause = _PAGE_CLAUSES[order]
        fitting = [record for record in self.model.records.values() if fits(filter, record)]
        ids = [record.id for record in got]
        self.judge.that("FILTER-01", set(ids) <= {r.id for r in fitting}, f"only {clause_of.names(fitting)}", ids)
        allowed = [record for record in fitting if is_on_page(record, order)]
        self.judge.that(clause, set(ids) <= {r.id for r in allowed}, f"only {clause_of.names(allowed)}", ids)
        expected = self.model.page(filter, order, after)
        if after is not None:
            behind = {record.id for record in expected}
            self.judge.that("PAGE-03", set(ids) <= behind, f"only {clause_of.names(expected)}, behind {after}", ids)
        self.judge.equal(clause, [record.id for record in expected[:limit]], ids)
        self.judge.equal("QUERY-01", [bare(record) for record in expected[:limit]], list(got))

    def page(self, filter: Filter, *, limit: int, after: UUID | None) -> None:
        """List one page."""
        got = self.answer(lambda: self.backend.list(filter, limit=limit, after=after))
        fitting = self.model.fitting(filter)
        expected = [record for record in fitting if after is None or record.id.bytes < after.bytes]
        ids = [record.id for record in got]
        self.judge.that("FILTER-01", set(ids) <= {r.id for r in fitting}, f"only {clause_of.names(fitting)}", ids)
        if after is not None:
            lower = all(id.bytes < after.bytes for id in ids)
            self.judge.that("QUERY-03", lower, f"only ids lower than {after}", ids)
        self.judge.equal("QUERY-02", [record.id for record in expected[:limit]], ids)
        self.judge.equal("QUERY-01", [bare(record) for record in expected[:limit]], list(got))

    def sweep(self, now: datetime) -> None:
        """Compare the whole store with the model."""
        self._look()
        stored = {record.id: record for record in self.every()}
        expected = self.model.records
        self.judge.that("RECORD-02", set(stored) == set(expected), clause_of.names(expected), clause_of.names(stored))
        for id, record in expected.items():
            if id in self._touched:
                self._is_typed(stored[id])
            self._has_no_details(stored[id])
            clause = self._touched.get(id, "RECORD-01")
            changed = clause not in ("RECORD-01", "RESTORE-01")
            if changed and stored[id]._replace(updated_at=record.updated_at) == bare(record):
                self.judge.equal("RECORD-03", record.updated_at, stored[id].updated_at)
            self.judge.equal(clause, bare(record), stored[id])
        self._compare_details()
        self._touched.clear()
        self._compare_queues(now)

    def every(self) -> Sequence[Record]:
        """Return every record of the backend."""
        return self.raw.list(Filter(), limit=_MANY)

    def has_new(self, ids: Sequence[UUID], clause: str) -> None:
        """Note which records the last call inserted, to compare them under a clause."""
        self._touched.update(dict.fromkeys(ids, clause))

    def _compare_details(self) -> None:
        """Compare the errors and the progress of the records that the last call changed. Only `get` returns them."""
        touched = [id for id in self._touched if id in self.model.records]
        for id, record in self.raw.get(touched[: self.raw.capabilities.max_batch]).items():
            self._is_typed(record)
            clause = self._touched[id]
            restored = clause == "RESTORE-01"
            self.judge.equal("RESTORE-01" if restored else "ERRORS-01", self.model.records[id].errors, record.errors)
            self.judge.equal(
                clause if restored or clause.startswith("PROGRESS") else "PROGRESS-04",
                self.model.records[id].progress,
                record.progress,
            )

    def _has_no_details(self, record: Record) -> None:
        self.judge.that("ERRORS-02", record.errors == (), "no errors in this result", record.errors)
        self.judge.that("PROGRESS-05", record.progress is None, "no progress in this result", record.progress)

    def _is_typed(self, record: Record) -> None:
        self.judge.that("CALL-02", not flaws(record), "fields of their declared types, datetimes in UTC", flaws(record))

    def _compare_queues(self, now: datetime) -> None:
        expected, stats, queues = self.model.stats(now), self.raw.stats(now=now), list(self.raw.queues())
        if self._harmless:
            self.judge.equal("QUEUE-03", self.model.queues(), queues)
        self._harmless = False
        self.judge.equal("QUEUE-01", sorted(self.model.paused), sorted(queue.name for queue in queues))
        self.judge.equal("QUEUE-02", self.model.queues(), queues)
        self.judge.equal("STATS-01", (expected.total, expected.by_state), (stats.total, dict(stats.by_state)))
        self.judge.equal("STATS-02", expected.by_kind, dict(stats.by_kind))
        totals = {name: (queue.total, queue.paused) for name, queue in expected.by_queue.items()}
        self.judge.equal("STATS-03", totals, {name: (q.total, q.paused) for name, q in stats.by_queue.items()})
        for name, queue in expected.by_queue.items():
            self.judge.equal("STATS-04", queue.due, stats.by_queue[name].due)
            self.judge.equal("STATS-05", queue.oldest_due, stats.by_queue[name].oldest_due)
            self.judge.equal("STATS-06", queue.by_state, dict(stats.by_queue[name].by_state))

    @contextmanager
    def judging_errors(self) -> Iterator[None]:
        """Turn exceptions into violations: those of the store, and those of the kit on a malformed result."""
        try:
            yield
        except (Unarmed, Violation):
            raise
        except Exception as exc:
            self._judge_error(exc)

    def _judge_error(self, exc: Exception) -> None:
        ours = Path(extract_tb(exc.__traceback__)[-1].filename).is_relative_to(Path(__file__).parent)
        clause, expected = ("CALL-02", "a result of the declared type") if ours else ("CALL-01", "a result")
        try:
            self.judge.that(clause, False, expected, repr(exc))
        except Violation as violation:
            violation.attach(exc, sources(type(self.raw)))
            raise violation from exc

    def _look(self) -> None:
        self.judge.ways.look(self.model.records, self.judge.steps[-1] if self.judge.steps else None)

    def answer(self, method: Callable[[], AnswerT]) -> AnswerT:
        """Make a call on the backend, and judge its exceptions."""
        self._look()
        try:
            answer = method()
        except Exception as exc:
            self._judge_error(exc)
            raise
        self.judge.counts["CALL-01"] += 1
        return answer

    def _chosen(self, got: Sequence[UUID], filter: Filter, clause: str, call: str) -> dict[UUID, Record]:
        fitting = {record.id: record for record in self.model.fitting(filter)}
        allowed = {id: record for id, record in fitting.items() if is_eligible(call, record)}
        self.judge.that("FILTER-01", set(got) <= set(fitting), f"only {clause_of.names(fitting)}", got)
        self.judge.that(clause, set(got) <= set(allowed), f"only {clause_of.names(allowed)}", got)
        return allowed

    def _all_of(self, clause: str, got: Sequence[UUID], allowed: Collection[object], limit: int) -> None:
        count = min(limit, len(allowed))
        self.judge.that(clause, len(got) == count and len(set(got)) == count, f"{count} items, each once", got)

"""Bugs of ends: attempts that are ended twice, by the wrong one, or by one that had looked before."""

from collections.abc import Sequence
from datetime import datetime

from tallystick import LEASE_EXPIRED, Record, validation
from tallystick_conformance import Mutant
from tallystick_postgres import rows

from .postgres_patch import Broken, mutant, patched

_EXPIRED = "SELECT id FROM {schema}.jobs WHERE state = 'running' AND lease_until <= {now} LIMIT %(limit)s"
_TAKE_BACK = """
    UPDATE {schema}.jobs
    SET state = 'retrying', run_at = {now}, updated_at = {now}, lease_until = NULL, finished_at = NULL,
        last_error = %(error)s
    WHERE id = ANY (%(ids)s::uuid[])
    RETURNING id, kind, queue, payload, priority, state, attempt, max_attempts, run_at, created_at, updated_at,
        attempted_at, finished_at, lease_until, worker, cancel_requested, unique_key, unique_until, last_error, result,
        tags
"""


class RescuesByList(Broken):
    """Expired jobs are listed by one statement, and taken back by id, whatever they are by then, by another."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        if now is None or now.tzinfo is None:
            return super().rescue(limit=limit, now=now)
        ids = [id for [id] in self._run(_EXPIRED, {"limit": validation.limit(limit), "now": now})]
        return rows.records(self._run(_TAKE_BACK, {"ids": ids, "now": now, "error": LEASE_EXPIRED.to_json()}))


MUTANTS: tuple[Mutant, ...] = (
    patched("settles any attempt", "SETTLE-06", "settle",
            "job.attempt = ended.attempt ELSE FALSE END\nRETURNING job.id, job.attempt",
            "TRUE ELSE FALSE END\nRETURNING job.id, ended.attempt", "D1", "A settle does not look at the attempt."),
    patched("settles what has ended", "SETTLE-06", "settle", "job.state = 'running' THEN", "TRUE THEN", "D8"),
    patched("holds any attempt", "LEASE-02", "extend",
            "job.attempt = held.attempt ELSE FALSE END\nRETURNING job.id, job.attempt",
            "TRUE ELSE FALSE END\nRETURNING job.id, held.attempt", "D4", "An extend does not look at the attempt."),
    mutant("rescues by a list", "SCHED-02", RescuesByList, "D2"),
    patched("rescues without locks", "RACE-04", "rescue", " FOR UPDATE SKIP LOCKED", "", "D2",
            "A rescue waits for the row that another is taking back, and then takes it back too."),
    patched("cancels without a second look", "CAP-08", "cancel", " FOR UPDATE", "", "D10",
            "A cancel waits for the end of an attempt to commit, and then ends the job again."),
    patched("requeues without a second look", "RACE-09", "requeue", " FOR UPDATE OF job", "", "D11",
            "Of requeues that wait for one row each changes it."),
    patched("removes what began meanwhile", "SCHED-06", "delete", " FOR UPDATE", "", "D14",
            "A delete waits for the row that a claim is taking, and then removes the job that runs."),
    patched("frees no key", "UNIQUE-03", "settle", "THEN NULL\n        ELSE job.held_key", "THEN job.held_key\n"
            "        ELSE job.held_key", "F2"),
)  # fmt: skip

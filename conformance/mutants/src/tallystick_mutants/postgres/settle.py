"""Bugs in ending attempts: twice, with a stale claim, or after an outdated read."""

from collections.abc import Sequence
from datetime import datetime

from tallystick import LEASE_EXPIRED, Record, validation
from tallystick_conformance import Mutant
from tallystick_postgres import rows

from ..patch import MIGRATION, POSTGRES
from .base import Broken

mutant, patched = POSTGRES.mutant, POSTGRES.patched

_EXPIRED = "SELECT id FROM {schema}.jobs WHERE state = 'running' AND lease_until <= {now} LIMIT %(limit)s"
_TAKE_BACK = """
    UPDATE {schema}.jobs
    SET state = 'retrying', run_at = {now}, updated_at = {now}, lease_until = NULL, finished_at = NULL,
        last_error = %(error)s
    WHERE id = ANY (%(ids)s::uuid[])
    RETURNING {columns}
"""


class RescuesByList(Broken):
    """One statement lists expired jobs, and another rescues them by id, even if they have changed."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        if now is None or now.tzinfo is None:
            return super().rescue(limit=limit, now=now)
        ids = [id for [id] in self._run(_EXPIRED, {"limit": validation.limit(limit), "now": now})]
        return rows.records(self._run(_TAKE_BACK, {"ids": ids, "now": now, "error": LEASE_EXPIRED.to_json()}))


MUTANTS: tuple[Mutant, ...] = (
    patched("settles any attempt", "SETTLE-06", "settle",
            "job.attempt = ended.attempt ELSE FALSE END\nRETURNING job.id, job.attempt",
            "TRUE ELSE FALSE END\nRETURNING job.id, ended.attempt", "D1", "settle ignores the attempt of a claim."),
    patched("settles what has ended", "SETTLE-06", "settle", "job.state = 'running' THEN", "TRUE THEN", "D8"),
    patched("holds any attempt", "LEASE-02", "extend",
            "job.attempt = held.attempt ELSE FALSE END\nRETURNING job.id, job.attempt",
            "TRUE ELSE FALSE END\nRETURNING job.id, held.attempt", "D4", "extend ignores the attempt of a claim."),
    mutant("rescues by a list", "SCHED-02", RescuesByList, "D2"),
    patched("rescues without locks", "RACE-04", "rescue", " FOR UPDATE SKIP LOCKED", "", "D2",
            "A rescue waits for a row that another rescue is changing, and then rescues it too."),
    patched("cancels without a second look", "CAP-08", "cancel", " FOR UPDATE", "", "D10",
            "A cancel waits for an attempt's end to commit, and then ends the job again."),
    patched("requeues without a second look", "RACE-09", "requeue", " FOR UPDATE OF job", "", "D11",
            "Several requeues that wait for the same row all change it."),
    patched("removes what began meanwhile", "SCHED-06", "delete", " FOR UPDATE", "", "D14",
            "A delete waits for a row that a claim is taking, and then deletes the running job."),
    patched("reports for what ended", "PROGRESS-02", "report_progress", "job.state = 'running' THEN", "TRUE THEN"),
    patched("keeps progress in claims", "PROGRESS-04", MIGRATION, ", progress = NULL", ""),
    patched("frees no key", "UNIQUE-03", "settle", "THEN NULL\n        ELSE job.held_key", "THEN job.held_key\n"
            "        ELSE job.held_key", "F2"),
)  # fmt: skip

"""Bugs in SQL of settles, rescues and changes by an operator."""

from ..patch import SQLITE

patched = SQLITE.patched

_MINE = " AND attempt = :attempt"
_RUNS = "state = 'running' AND "
_DUE = "run_at, :run_at)"
_ENDED = "OR :state NOT IN ('pending', 'retrying')"
_FREED = "unique_until = 'finished', NULL"
_LEFT = "unique_until IN ('finished', 'started'), NULL"


def _any_attempt(state: str) -> str:
    return f" AND (attempt = :attempt OR :state = '{state}')"


def _any_state(state: str) -> str:
    return f"(state = 'running' OR :state = '{state}') AND "


def _due(state: str, run_at: str) -> str:
    return f"run_at, iif(:state = '{state}', {run_at}, :run_at))"


MUTANTS = (
    patched("completes any attempt", "SETTLE-06", "settle", _MINE, _any_attempt("completed"), "D1"),
    patched("completes what waits", "SETTLE-06", "settle", _RUNS, _any_state("completed"), "D8"),
    patched("retries any attempt", "SETTLE-06", "settle", _MINE, _any_attempt("retrying"), "D11"),
    patched("retries what ended", "SETTLE-06", "settle", _RUNS, _any_state("retrying")),
    patched("discards any attempt", "SETTLE-06", "settle", _MINE, _any_attempt("discarded")),
    patched("releases any attempt", "SETTLE-06", "settle", _MINE, _any_attempt("pending")),
    patched("releases what ended", "SETTLE-06", "settle", _RUNS, _any_state("pending")),
    patched("cancels any attempt", "SETTLE-06", "settle", _MINE, _any_attempt("cancelled")),
    patched("forgets the error", "SETTLE-01", "settle", "coalesce(:error, last_error)",
            "iif(:state = 'completed', NULL, coalesce(:error, last_error))"),
    patched("forgets the worker", "SETTLE-01", "settle", "lease_until = NULL",
            "lease_until = NULL, worker = iif(:state = 'completed', NULL, worker)"),
    patched("leaves the lease", "SETTLE-03", "settle", "lease_until = NULL",
            "lease_until = iif(:state = 'discarded', lease_until, NULL)"),
    patched("finishes without a time", "SETTLE-05", "settle", f"{_ENDED}, :now",
            "OR :state NOT IN ('pending', 'retrying', 'cancelled'), :now", "I2"),
    patched("retries never in the past", "SETTLE-02", "settle", _DUE, _due("retrying", "max(:run_at, :now)")),
    patched("retries as new", "SETTLE-02", "settle", "'cancelled', :state)",
            "'cancelled', iif(:state = 'retrying', 'pending', :state))"),
    patched("retries down to milliseconds", "TIME-06", "settle", _DUE, _due("retrying", ":run_at / 1000 * 1000"), "B2"),
    patched("retries the cancelled", "SETTLE-09", "settle", "cancel_requested AND :state IN ('pending', 'retrying')",
            "cancel_requested AND :state = 'pending'", "D10"),
    patched("releases at a cost", "SETTLE-04", "settle", "min(max_attempts, 2147483646) + 1", "max_attempts"),
    patched("releases with a new count", "SETTLE-04", "settle",
            "max_attempts = iif(:state = 'pending', min(max_attempts, 2147483646) + 1, max_attempts)",
            "attempt = attempt - (:state = 'pending')", "D5"),
    patched("releases at once", "SETTLE-04", "settle", _DUE, _due("pending", "min(:run_at, :now)"), "B1"),
    patched("frees every key", "UNIQUE-04", "settle", _FREED,
            "(unique_until = 'finished' OR :state = 'completed'), NULL", "F5"),
    patched("discards and keeps the key", "UNIQUE-03", "settle", _FREED,
            "unique_until = 'finished' AND :state <> 'discarded', NULL", "F2"),
    patched("cancels and keeps the key", "UNIQUE-03", "cancel", _LEFT, "FALSE, NULL"),
    patched("cancels a retry and keeps the key", "UNIQUE-03", "cancel", f"state <> 'running' AND {_LEFT}",
            f"state = 'pending' AND {_LEFT}"),
    patched("stops and keeps the key", "UNIQUE-03", "settle", _FREED,
            "unique_until = 'finished' AND :state <> 'cancelled', NULL"),
    patched("rescues and keeps the key", "UNIQUE-03", "rescue", "NULL, held_key)", "held_key, held_key)"),
    patched("rescues and frees the key", "UNIQUE-04", "rescue", " AND unique_until = 'finished'", ""),
    patched("rescues late by a tick", "TIME-02", "rescue", "lease_until <= :now", "lease_until < :now"),
    patched("rescues the cancelled", "RESCUE-04", "rescue", "WHEN cancel_requested THEN 'cancelled'", "", "D10"),
    patched("rescues once more", "RESCUE-03", "rescue", "attempt >= max_attempts", "attempt > max_attempts", "K4"),
    patched("rescues to the old time", "RESCUE-02", "rescue", "run_at, :now)", "run_at, run_at)", "J2"),
    patched("rescues with the old error", "RESCUE-02", "rescue", "last_error = :error",
            "last_error = coalesce(last_error, :error)"),
    patched("rescues all", "RESCUE-05", "rescue", "LIMIT :limit", "LIMIT -1"),
    patched("rescues by its own clock", "RESCUE-01", "rescue", "lease_until <= :now",
            "lease_until <= unixepoch() * 1000000", "B7"),
    patched("requeues as finished", "REQUEUE-01", "requeue", " finished_at = NULL,", "", "D13"),
    patched("requeues with the result", "REQUEUE-01", "requeue", " result = NULL,", ""),
    patched("requeues flagged", "REQUEUE-01", "requeue", "cancel_requested = FALSE, ", ""),
    patched("requeues in its old place", "REQUEUE-01", "requeue", "run_at = :now", "run_at = min(run_at, :now)"),
    patched("requeues to the first attempt", "REQUEUE-01", "requeue", "run_at = :now", "run_at = :now, attempt = 0"),
    patched("requeues with fewer attempts", "REQUEUE-02", "requeue", "max(max_attempts, min(attempt, 2147483646) + 1)",
            "attempt + 1"),
    patched("requeues without its key", "REQUEUE-04", "requeue", "NULL, unique_key)", "NULL, held_key)"),
    patched("requeues over a holder", "REQUEUE-04", "requeue", "UPDATE OR IGNORE", "UPDATE OR REPLACE"),
    patched("requeues or fails", "REQUEUE-04", "requeue", "UPDATE OR IGNORE", "UPDATE", "D16"),
    patched("requeues without updating", "RECORD-03", "requeue", ", updated_at = :now", ""),
    patched("cancels without a time", "CANCEL-01", "cancel", "finished_at, :now", "finished_at, NULL"),
    patched("cancels again", "CANCEL-03", "cancel", " AND NOT cancel_requested", ""),
    patched("flags without updating", "RECORD-03", "cancel", "updated_at = :now",
            "updated_at = iif(state = 'running', updated_at, :now)"),
    patched("keeps the first lines of errors", "ERRORS-03", "settle",
            "ELSE substr(errors, instr(errors, char(10)) + 1) || char(10) || :entry", "ELSE errors"),
    patched("rescues without an entry", "ERRORS-01", "rescue", "WHEN errors IS NULL THEN ''", "WHEN TRUE THEN NULL"),
    SQLITE.broken("updates what runs", "UPDATE-02", "update changes running jobs, too.", "",
                  SQLITE.patch("update", "'retrying')", "'retrying', 'running')"),
                  SQLITE.edit("updating.update", {"CLAIMABLE,": "CLAIMABLE | {'running'},"})),
    patched("reports for any attempt", "PROGRESS-02", "report_progress", _MINE, ""),
    patched("keeps progress in a claim", "PROGRESS-04", "claim", ",\n    progress = NULL", ""),
    patched("updates what is equal", "UPDATE-02", "update", "run_at <> coalesce(:run_at, run_at)", "TRUE"),
    patched("purges what it keeps", "PURGE-03", "purge", "kind NOT IN", "kind IN"),
    patched("purges at the moment", "PURGE-01", "purge", "finished_at < :before", "finished_at <= :before"),
    patched("purges by age", "PURGE-01", "purge", "finished_at < :before", "created_at < :before", "I5"),
    patched("purges all at once", "PURGE-02", "purge", "    LIMIT :limit\n", ""),
    patched("never purges the cancelled", "PURGE-02", "purge", "AND finished_at",
            "AND state <> 'cancelled' AND finished_at", "I2"),
    patched("purges any state", "PURGE-01", "purge", "state IN (SELECT value FROM json_each(:states)) AND ", ""),
)  # fmt: skip

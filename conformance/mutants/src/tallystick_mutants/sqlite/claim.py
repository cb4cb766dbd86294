"""Bugs in SQL of inserts, claims and leases."""

from ..patch import SQLITE

patched = SQLITE.patched

_WAITS = "state IN ('pending', 'retrying') AND run_at <= :now"
_OPEN = "WHERE NOT EXISTS (SELECT 1 FROM {prefix}_queues WHERE name = asked.value AND paused)"
_TIES = "(run_at, id) > (due.run_at, due.id)"


def _shown(moment: str) -> str:
    return f"unixepoch({moment} / 1000000, 'unixepoch', 'localtime')"


MUTANTS = (
    patched("claims by the wall clock", "TIME-12", "claim", "lease_until = :until",
            f"lease_until = :now + ({_shown(':until')} - {_shown(':now')}) * 1000000"),
    patched("inserts over the old", "INSERT-04", "insert", "ON CONFLICT",
            "ON CONFLICT (id) DO UPDATE SET payload = excluded.payload ON CONFLICT", "F4"),
    patched("rounds due times down", "TIME-06", "insert", ":run_at", ":run_at / 1000 * 1000", "B5"),
    patched("keeps whole seconds", "TIME-06", "insert", ":run_at", ":run_at / 1000000 * 1000000", "B4"),
    patched("has small counters", "INSERT-01", "insert", ":max_attempts, :run_at", "min(:max_attempts, 32767), :run_at",
            "K1"),
    patched("folds keys", "NAME-02", "insert", ":now, :unique_key", ":now, lower(:unique_key)"),
    patched("trims keys", "NAME-02", "insert", ":now, :unique_key", ":now, trim(:unique_key)"),
    patched("cuts names", "NAME-01", "insert", ":kind,", "substr(:kind, 1, 64),"),
    patched("cuts at NUL", "PAYLOAD-01", "insert", ":payload,",
            "iif(instr(:payload, x'00'), substr(:payload, 1, instr(:payload, x'00') - 1), :payload),", "C1"),
    patched("sets the clock itself", "INSERT-01", "insert", ":now, :now",
            "unixepoch() * 1000000, unixepoch() * 1000000", "B8"),
    patched("resumes by inserting", "QUEUE-02", "add_queue", "DO NOTHING", "DO UPDATE SET paused = FALSE"),
    patched("is late by a tick", "TIME-01", "claim", "run_at <= :now", "run_at < :now", "B2"),
    patched("claims without large payloads", "PAYLOAD-03", "claim", "{record}", "{columns}"),
    patched("claims a pause away", "CLAIM-04", "claim", _OPEN, "", "E4"),
    patched("claims by time", "CLAIM-05", "claim", "ORDER BY 3 DESC, 4, 5", "ORDER BY 4, 3 DESC, 5", "G1"),
    patched("claims without ids", "CLAIM-05", "claim", "ORDER BY 3 DESC, 4, 5", "ORDER BY 3 DESC, 4", "G2"),
    patched("claims lowest first", "CLAIM-05", "claim", "ORDER BY 3 DESC, 4, 5", "ORDER BY 3, 4, 5"),
    patched("skips equals", "CLAIM-07", "claim", _TIES, "run_at > due.run_at", "G8"),
    patched("claims one more", "CLAIM-06", "claim", "LIMIT :limit", "LIMIT :limit + 1", "A4"),
    patched("claims one fewer", "CLAIM-07", "claim", "LIMIT :limit", "LIMIT max(1, :limit - 1)", "A11"),
    patched("forgets retries", "CLAIM-07", "claim", _WAITS, "state = 'pending' AND run_at <= :now", "D16"),
    patched("does not count attempts", "CLAIM-08", "claim", "attempt = attempt + 1", "attempt = max(attempt, 1)", "D5"),
    patched("keeps the first worker", "CLAIM-08", "claim", "worker = :worker", "worker = coalesce(worker, :worker)"),
    patched("keeps the first attempt's time", "CLAIM-08", "claim", "attempted_at = :now",
            "attempted_at = coalesce(attempted_at, :now)", "D13"),
    patched("has one lease for all", "CLAIM-09", "claim", "lease_until = :until",
            "lease_until = :now + 60000000", "J1"),
    patched("claims without updating", "CLAIM-08", "claim", ", updated_at = :now", ""),
    patched("clears the error", "CLAIM-08", "claim", "SET state", "SET last_error = NULL, state"),
    patched("has no later due", "CLAIM-07", "next_due", "state IN ('pending', 'retrying')", "state = 'pending'"),
    patched("extends any attempt", "LEASE-02", "extend", " AND attempt = :attempt", "", "D4"),
    patched("extends what waits", "LEASE-02", "extend", "state = 'running' AND ", "", "D7"),
    patched("never shortens", "LEASE-01", "extend", "lease_until = :until", "lease_until = max(lease_until, :until)"),
    patched("adds to the lease", "LEASE-01", "extend", "lease_until = :until",
            "lease_until = lease_until + (:until - :now)"),
    patched("gives up leases", "LEASE-04", "extend", "AND attempt", "AND lease_until > :now AND attempt", "J8"),
    patched("tells nobody to stop", "LEASE-03", "extend", "RETURNING cancel_requested", "RETURNING FALSE", "D10"),
    patched("extends without updating", "RECORD-03", "extend", ", updated_at = :now", ""),
)  # fmt: skip

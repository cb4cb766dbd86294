"""Bugs in the SQL that frees unique keys and changes their holders."""

from ..patch import SQLITE

patched = SQLITE.patched

MUTANTS = (
    patched("starts and keeps the key", "UNIQUE-06", "claim", "iif(unique_until = 'started', NULL, held_key)",
            "held_key"),
    patched("cancels and keeps a key until the start", "UNIQUE-06", "cancel", "IN ('finished', 'started')",
            "= 'finished'"),
    patched("frees a time late by a tick", "UNIQUE-07", "free_keys", "<= :now", "< :now"),
    patched("frees each key of a time", "UNIQUE-07", "free_keys", "<= :now", "IS NOT NULL"),
    patched("replaces without tags", "CONFLICT-01", "change_holders", "tags = :tags, ", ""),
    SQLITE.edited("replaces without large payloads", "PAYLOAD-03", "inserting._insert",
                  "_add_payload(cursor, queries, changed)", "pass"),
    patched("debounces without a time", "CONFLICT-02", "change_holders", "run_at = :run_at, ", ""),
    patched("requeues with an old time", "REQUEUE-06", "requeue", " OR {passed}", ""),
    SQLITE.edited("requeues after no time", "REQUEUE-04", "backend.SqliteBackend.requeue",
                  "unblock=queries.free_keys", "unblock=None"),
)  # fmt: skip

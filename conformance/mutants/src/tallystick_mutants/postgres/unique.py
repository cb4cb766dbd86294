"""Bugs in the SQL that frees unique keys and changes their holders."""

from tallystick_conformance import Mutant

from ..patch import MIGRATION, POSTGRES

patched = POSTGRES.patched

MUTANTS: tuple[Mutant, ...] = (
    patched("replaces without a lock", "RACE-20", "lock_holders", "ORDER BY id DESC FOR UPDATE", "ORDER BY id DESC", "",
            "A replace reads the holder and changes it later, even if a claim takes it in between."),
    patched("replaces a part of the batch", "CONFLICT-01", "change_holders", "tags = new.tags::text[], ", ""),
    patched("starts and holds the key", "UNIQUE-06", MIGRATION, "CASE WHEN unique_until <> 'started' THEN held_key END",
            "held_key"),
    patched("frees keys before their time", "TICK-06", "free_keys",
            " AND {schema}.key_has_passed(unique_until, created_at, {now})", ""),
    patched("requeues among passed keys", "REQUEUE-04", "requeue",
            "\n                    AND NOT {schema}.key_has_passed(holder.unique_until, holder.created_at, {now})", ""),
)  # fmt: skip

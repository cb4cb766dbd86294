"""Bugs of the ledger, which counts by lines that triggers write and a rescue folds."""

from tallystick_conformance import Mutant

from .postgres_patch import MIGRATION, patched

MUTANTS: tuple[Mutant, ...] = (
    patched("forgets deletes", "STATS-01", MIGRATION, "SELECT -count(*), queue, kind, state FROM old_jobs",
            "SELECT 0, queue, kind, state FROM old_jobs", "E5", "The trigger on deletes writes lines of zero."),
    patched("counts in the old state too", "STATS-01", MIGRATION, "SELECT -1, queue, kind, state FROM old_jobs",
            "SELECT 0, queue, kind, state FROM old_jobs", "E4",
            "The trigger on updates writes down the new state, and does not take back the old."),
    patched("writes a line for each row", "STATS-01", MIGRATION,
            "SELECT count(*), queue, kind, state FROM new_jobs GROUP BY", "SELECT 1, queue, kind, state FROM new_jobs "
            "GROUP BY", "E4", "The trigger on inserts counts a batch as one."),
    patched("folds to the largest", "STATS-01", "fold", "SELECT sum(n), queue", "SELECT max(n), queue", "E5"),
    patched("folds kinds together", "STATS-02", "fold", "SELECT sum(n), queue, kind, state FROM folded GROUP BY queue, "
            "kind, state", "SELECT sum(n), queue, min(kind), state FROM folded GROUP BY queue, state", "E5"),
    patched("forgets empty queues", "QUEUE-01", "fold", "GROUP BY queue, kind, state", "GROUP BY queue, kind, state "
            "HAVING sum(n) <> 0", "E7", "A queue is forgotten when its last job goes and the ledger is folded."),
    patched("counts what is due by the server", "STATS-04", MIGRATION, "AND job.run_at <= at\n",
            "AND job.run_at <= statement_timestamp()\n", "B7",
            "stats counts as due what is so by the server's clock, not by the call's."),
    patched("reads the oldest of all", "STATS-05", MIGRATION, "AND run_at <= at\n", "\n", "G8",
            "oldest_due is that of jobs of the future too."),
    patched("counts a thousand", "STATS-04", MIGRATION, "EXIT WHEN n < bound;", "EXIT;", "",
            "stats counts no more than a thousand due jobs of a queue."),
    patched("pauses unknown queues only", "QUEUE-01", "pause", "VALUES (0, %(queue)s, '', 'pending')",
            "SELECT 0, %(queue)s, '', 'pending' WHERE FALSE", "E7", "A queue is not known by being paused."),
)  # fmt: skip

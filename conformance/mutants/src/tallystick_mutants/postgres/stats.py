"""Bugs in the ledger of counts: triggers write its lines, and a rescue folds them."""

from tallystick_conformance import Mutant

from ..patch import MIGRATION, POSTGRES

patched = POSTGRES.patched

MUTANTS: tuple[Mutant, ...] = (
    patched("forgets deletes", "STATS-01", MIGRATION, "SELECT -count(*), queue, kind, state FROM old_jobs",
            "SELECT 0, queue, kind, state FROM old_jobs", "E5", "The trigger on deletes writes zero counts."),
    patched("counts in the old state too", "STATS-01", MIGRATION, "SELECT -1, queue, kind, state FROM old_jobs",
            "SELECT 0, queue, kind, state FROM old_jobs", "E4",
            "The trigger on updates counts the new state, but does not subtract the old one."),
    patched("writes a line for each row", "STATS-01", MIGRATION,
            "SELECT count(*), queue, kind, state FROM new_jobs GROUP BY", "SELECT 1, queue, kind, state FROM new_jobs "
            "GROUP BY", "E4", "The trigger on inserts counts a batch as one job."),
    patched("folds to the largest", "STATS-01", "fold", "SELECT sum(n), queue", "SELECT max(n), queue", "E5"),
    patched("folds kinds together", "STATS-02", "fold", "SELECT sum(n), queue, kind, state FROM folded GROUP BY queue, "
            "kind, state", "SELECT sum(n), queue, min(kind), state FROM folded GROUP BY queue, state", "E5"),
    patched("forgets empty queues", "QUEUE-01", "fold", "GROUP BY queue, kind, state", "GROUP BY queue, kind, state "
            "HAVING sum(n) <> 0", "E7", "A queue is forgotten when its last job is deleted and the ledger is folded."),
    patched("counts what is due by the server", "STATS-04", MIGRATION, "AND job.run_at <= at\n",
            "AND job.run_at <= statement_timestamp()\n", "B7",
            "stats counts due jobs by the server's clock, not by its now."),
    patched("reads the oldest of all", "STATS-05", MIGRATION, "AND run_at <= at\n", "\n", "G8",
            "oldest_due includes future jobs."),
    patched("counts a thousand", "STATS-04", MIGRATION, "EXIT WHEN n < bound;", "EXIT;", "",
            "stats counts at most a thousand due jobs of a queue."),
    patched("pauses unknown queues only", "QUEUE-01", "pause", "VALUES (0, %(queue)s, '', 'pending')",
            "SELECT 0, %(queue)s, '', 'pending' WHERE FALSE", "E7", "Pausing a queue does not make it known."),
)  # fmt: skip

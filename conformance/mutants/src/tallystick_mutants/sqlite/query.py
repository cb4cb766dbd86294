"""Bugs in SQL of lists, counts and queues."""

from ..patch import SQLITE

patched = SQLITE.patched

_TAGGED = "tag.value IN (SELECT value FROM json_each(:tags))"
_FOUND = "tagged.tag IN (SELECT value FROM json_each(:by_tags))"
_LIKE = "EXISTS (SELECT 1 FROM json_each(:{}) AS t WHERE t.value LIKE {})"
_DUE = "state IN ('pending', 'retrying') AND run_at <= :now"

MUTANTS = (
    patched("lists the last again", "QUERY-03", "list", "id < :below", "id <= :below", "E1"),
    patched("lists oldest first", "QUERY-02", "list", "ORDER BY id DESC", "ORDER BY id"),
    patched("lists by creation", "QUERY-02", "list", "ORDER BY id DESC", "ORDER BY created_at DESC, id DESC", "E1"),
    patched("lists in no order", "QUERY-02", "list", "ORDER BY id DESC", "ORDER BY run_at, kind"),
    SQLITE.broken("filters by part of a tag", "FILTER-01", "A filter by tags compares their first characters.", "",
                  SQLITE.patch("list_candidates", _FOUND, "instr(:by_tags, substr(tagged.tag, 1, 1))"),
                  SQLITE.patch("list_candidates", _TAGGED, "instr(:tags, substr(tag.value, 1, 1))")),
    SQLITE.broken("filters tags without case", "NAME-02", "A filter by tags ignores the case of letters.", "L4",
                  SQLITE.patch("list_candidates", _FOUND, _LIKE.format("by_tags", "tagged.tag")),
                  SQLITE.patch("list_candidates", _TAGGED, _LIKE.format("tags", "tag.value"))),
    patched("filters kinds without case", "NAME-02", "list_candidates", "kind IN", "kind COLLATE NOCASE IN", "L4"),
    patched("filters by any field", "FILTER-01", "list_candidates",
            "AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))\n    AND (:tags",
            "AND (queue IN (SELECT value FROM json_each(:queues)) OR :tags"),
    patched("skips equal times of the finished", "PAGE-04", "list_by_finished_at",
            "(finished_at, id) < (:after_time, :after)", "finished_at < :after_time", "E2"),
    patched("skips equal times of the waiting", "PAGE-04", "list_by_run_at", "(run_at, id) > (found.due, found.its_id)",
            "run_at > found.due", "E2"),
    patched("counts those that finished at the end", "FILTER-01", "count_candidates", "BETWEEN :first AND :last",
            "BETWEEN :first AND :last + 1"),
    patched("counts no retries as due", "STATS-04", "stats", _DUE, "state = 'pending' AND run_at <= :now"),
    patched("counts late by a tick", "STATS-04", "stats", "run_at <= :now", "run_at < :now"),
    patched("finds the oldest of all", "STATS-05", "stats", f"min(run_at) FILTER (WHERE {_DUE})", "min(run_at)", "E5"),
    patched("finds the newest due", "STATS-05", "stats", "min(run_at)", "max(run_at)"),
    patched("counts each queue once", "STATS-02", "stats", "GROUP BY queue, kind, state", "GROUP BY queue, state"),
    patched("does not count what ended", "STATS-01", "stats", "GROUP BY", "WHERE state <> 'discarded' GROUP BY", "E8"),
    patched("names queues backwards", "QUEUE-02", "queues", "ORDER BY name", "ORDER BY name DESC"),
    patched("knows paused queues only", "QUEUE-01", "queues", "ORDER BY", "WHERE paused ORDER BY", "E7"),
    patched("pauses and resumes", "QUEUE-03", "pause", "SET paused = TRUE", "SET paused = NOT paused"),
    patched("pauses known queues only", "QUEUE-01", "pause", "INSERT INTO {prefix}_queues (name, paused) VALUES "
            "(:queue, TRUE) ON CONFLICT DO UPDATE SET paused = TRUE",
            "UPDATE {prefix}_queues SET paused = TRUE WHERE name = :queue"),
    patched("resumes all", "QUEUE-02", "resume", " WHERE name = :queue", ""),
    patched("knows what it resumes", "QUEUE-03", "resume", "UPDATE {prefix}_queues SET paused = FALSE WHERE name = "
            ":queue", "INSERT INTO {prefix}_queues (name) VALUES (:queue) ON CONFLICT DO UPDATE SET paused = FALSE"),
    patched("wakes for a paused queue", "WAIT-04", "next_due",
            "WHERE NOT EXISTS (SELECT 1 FROM {prefix}_queues WHERE name = asked.value AND paused)", "", "M2"),
)  # fmt: skip

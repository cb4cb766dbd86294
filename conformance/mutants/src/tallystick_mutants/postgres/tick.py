"""Bugs in errors, pages, updates, schedules and meters."""

from tallystick_conformance import Mutant

from ..patch import MIGRATION, POSTGRES

patched = POSTGRES.patched

MUTANTS: tuple[Mutant, ...] = (
    patched("keeps all errors of a job", "ERRORS-03", MIGRATION, "[greatest(cardinality(errors) - 18, 1):]", "", "",
            "The list of a job's errors grows without a limit."),
    patched("skips what is due at the same time", "PAGE-03", "list_by_run_at",
            "(run_at, id) > (%(after_time)s::timestamptz, %(after)s::uuid)",
            "run_at > %(after_time)s::timestamptz", "", "A page skips the jobs that are due at the time of `after`."),
    patched("finds escapes as text", "FILTER-03", "count_by_error_text",
            "THEN error_words ~ %(error_pattern)s::text", "THEN TRUE", "",
            "A search in errors finds their stored JSON, with the names of the fields."),
    patched("updates without a second look", "RACE-13", "update", " FOR UPDATE", "", "",
            "Several updates that wait for the same row all change it."),
    patched("claims what moved", "RACE-14", MIGRATION, " AND queue = ANY (ARRAY(SELECT queue FROM lane))", "", "",
            "A claim does not recheck the queue of a job that an update moves while the claim runs."),
    patched("moves schedules without a lock", "RACE-15", "lock_schedules", "FOR UPDATE", "", "",
            "An advance reads the revision, and moves the schedule even if another one has moved it since."),
    patched("meters the latest only", "METER-01", "meter", "old.completed::numeric + excluded.completed",
            "excluded.completed"),
)  # fmt: skip

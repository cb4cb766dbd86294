"""The SQL statements, read from their files. The head of each file states its effect, locks and index.

They contain placeholders:

- `{columns}` are the columns of a record, and `{new_columns}` those that an insert sets; `rows` lists them.
  `{new_value}` are the parameters of one job. A batch also has `{each_value}`, one array for each column, and
  `{each_or_shared}` is the value of each job, from the array or else from the parameter that all jobs share.
  `{restored_columns}` and `{restored_values}` are those of `restore.sql`.
- `{matches}` is the condition of a filter; `matching` returns its parameters.
- `{has_words}` is true for each record with an error that contains the `error_text` of a filter, and for some others.
  It reads only `failed.error_words`: the type and the message of an error, the first `{words_length}` characters of
  their JSON.
- `{is_other_id}` is true for a record whose id is not a UUIDv7 of about its `created_at`.
- `{is_late}` is true for a record that did not finish within an hour after its `created_at`, but finished.
- `{schedule_columns}` are the columns of a schedule, `{schedule_values}` their parameters, and `{schedule_changes}` the
  assignments that replace a stored one.
- `{insert}` is the statement `insert.sql`, as a part of another one.
- `{schema}` is the schema's name, and `{channel}` is the channel that wakes waiting clients.
- `{now}` is the `now` of the call, by default the server's clock at the start of the statement. (PostgreSQL's `now()`
  is the start of the transaction, which may be long ago in an application's own transaction.)
"""

from functools import cache
from importlib.resources import files
from typing import LiteralString

from .rows import COLUMNS, NEW_COLUMNS, RESTORED_COLUMNS
from .schedule_rows import SCHEDULE_COLUMNS

ID_TOLERANCE = 600
"""Seconds by which the time of a UUIDv7 may differ from `created_at`, if its job is to be found by a range of ids."""

_MATCHES = """(%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s::uuid[]))
        AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
        AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[]))
        AND (%(queues)s::text[] IS NULL OR queue = ANY (%(queues)s::text[]))
        AND (%(tags)s::text[] IS NULL OR (tags <> '{}' AND tags && %(tags)s::text[]))
        AND (
            %(error_types)s::text[] IS NULL
            OR (last_error IS NOT NULL AND error_type = ANY (%(error_types)s::text[]))
        )
        AND (
            %(error_part)s::text IS NULL
            OR (
                last_error IS NOT NULL
                AND CASE
                    WHEN length(error_words) >= {words_length} THEN last_error ~ %(error_pattern)s::text
                    WHEN strpos(error_words, %(error_part)s::text) > 0 THEN error_words ~ %(error_pattern)s::text
                    ELSE FALSE
                END
            )
        )
        AND (%(workers)s::text[] IS NULL OR worker = ANY (%(workers)s::text[]))
        AND (%(unique_keys)s::text[] IS NULL OR unique_key = ANY (%(unique_keys)s::text[]))
        AND (%(created_since)s::timestamptz IS NULL OR created_at >= %(created_since)s::timestamptz)
        AND (%(created_until)s::timestamptz IS NULL OR created_at < %(created_until)s::timestamptz)
        AND (%(finished_since)s::timestamptz IS NULL OR finished_at >= %(finished_since)s::timestamptz)
        AND (%(finished_until)s::timestamptz IS NULL OR finished_at < %(finished_until)s::timestamptz)"""

_HAS_WORDS = """(
        %(error_part)s::text IS NULL
        OR strpos(failed.error_words, %(error_part)s::text) > 0
        OR length(failed.error_words) >= {words_length}
    )"""

_IS_OTHER_ID = "(has_other_id OR coalesce(finished_at < created_at, FALSE))"

PROMPT_HOURS = 1
"""Hours within which a job finishes after `created_at`, if it is to be found by a range of `finished_at`."""

_IS_LATE = f"""finished_at IS NOT NULL AND NOT (
        finished_at >= created_at
        AND finished_at AT TIME ZONE 'UTC' < created_at AT TIME ZONE 'UTC' + interval '{PROMPT_HOURS} hours'
    )"""

_NOW = "coalesce(%(now)s::timestamptz, statement_timestamp())"

_PLACEHOLDERS = {
    "{matches}": _MATCHES,
    "{has_words}": _HAS_WORDS,
    "{words_length}": "500",
    "{is_other_id}": _IS_OTHER_ID,
    "{id_tolerance}": f"{ID_TOLERANCE}",
    "{is_late}": _IS_LATE,
    "{columns}": ", ".join(COLUMNS),
    "{new_columns}": ", ".join(NEW_COLUMNS),
    "{each_value}": ", ".join(f"%(each_{name})s::{type}[]" for name, type in NEW_COLUMNS.items()),
    "{each_or_shared}": ", ".join(f"coalesce({name}, %({name})s::{type})" for name, type in NEW_COLUMNS.items()),
    "{restored_columns}": ", ".join(RESTORED_COLUMNS),
    "{restored_values}": ", ".join(f"%({name})s::{type}[]" for name, type in RESTORED_COLUMNS.items()),
    "{new_value}": ", ".join(f"%({name})s::{type}" for name, type in NEW_COLUMNS.items()),
    "{schedule_columns}": ", ".join(SCHEDULE_COLUMNS),
    "{schedule_values}": ", ".join(f"%({name})s::{type}[]" for name, type in SCHEDULE_COLUMNS.items()),
    "{schedule_changes}": ", ".join(f"{name} = excluded.{name}" for name in SCHEDULE_COLUMNS if name != "name"),
}

CHANNEL = "tallystick:{schema}"
"""The channel that wakes waiting clients. The payload of a notification is `+` or `-` and the name of a queue."""


class Queries:
    """The statements for the tables of one schema."""

    insert: LiteralString
    insert_batch: LiteralString
    insert_one: LiteralString
    duplicates: LiteralString
    lock_holders: LiteralString
    change_holders: LiteralString
    free_keys: LiteralString
    claim: LiteralString
    discard_damaged: LiteralString
    next_due: LiteralString
    extend: LiteralString
    report_progress: LiteralString
    settle: LiteralString
    rescue: LiteralString
    get: LiteralString
    list: LiteralString
    list_by_finished_at: LiteralString
    list_by_run_at: LiteralString
    list_by_created: LiteralString
    list_by_error_text: LiteralString
    list_by_error_type: LiteralString
    list_failed_by_finished_at: LiteralString
    list_failed_by_run_at: LiteralString
    list_waiting: LiteralString
    list_rare: LiteralString
    count: LiteralString
    count_by_created: LiteralString
    count_by_error_text: LiteralString
    count_ledger: LiteralString
    count_ledger_by_state: LiteralString
    stats: LiteralString
    fold: LiteralString
    cancel: LiteralString
    requeue: LiteralString
    delete: LiteralString
    update: LiteralString
    purge: LiteralString
    restore: LiteralString
    is_stored: LiteralString
    pause: LiteralString
    resume: LiteralString
    queues: LiteralString
    listen: LiteralString

    put_schedules: LiteralString
    schedules: LiteralString
    lock_schedules: LiteralString
    due_schedules: LiteralString
    advance_schedules: LiteralString
    remove_schedules: LiteralString
    beat: LiteralString
    remove_worker: LiteralString
    workers: LiteralString
    meter: LiteralString
    meters: LiteralString
    clock: LiteralString

    create_search_indexes: LiteralString
    drop_search_indexes: LiteralString
    try_lock_search: LiteralString
    lock: LiteralString
    find_schema: LiteralString
    mark: LiteralString
    is_empty: LiteralString
    version: LiteralString
    create_schema: LiteralString
    create_migrations: LiteralString
    add_migration: LiteralString
    drop: LiteralString
    drop_schema: LiteralString

    doctor_server: LiteralString
    doctor_transactions: LiteralString
    doctor_session: LiteralString
    doctor_notify: LiteralString
    doctor_indexes: LiteralString
    doctor_triggers: LiteralString
    doctor_tables: LiteralString
    doctor_ledger: LiteralString

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self.migrations = [self._named(text) for text in read_all("migrations").values()]
        for name, text in read_all("queries").items():
            setattr(self, name.removesuffix(".sql"), self._named(text))

    def _named(self, text: str) -> LiteralString:
        """Replace the placeholders. Only the schema's name comes from a user, and `location` has validated it."""
        text = text.replace("{insert}", read_all("queries")["insert.sql"].rstrip())
        for placeholder, value in _PLACEHOLDERS.items():
            text = text.replace(placeholder, value)
        channel = CHANNEL.replace("{schema}", self._schema)
        text = text.replace("'{channel}'", f"'{channel}'").replace("{channel}", f'"{channel}"')
        return text.replace("{schema}", f'"{self._schema}"').replace("{now}", _NOW)


@cache
def read_all(folder: str) -> dict[str, str]:
    """Return the text of each `.sql` file of a folder by its name, sorted by name."""
    found = [file for file in (files(__package__) / folder).iterdir() if file.name.endswith(".sql")]
    return {file.name: file.read_text("utf-8") for file in sorted(found, key=lambda file: file.name)}

"""The SQL statements, read from their files. The head of each file states its effect, locks and index.

They contain placeholders:

- `{columns}` are the columns of a record, and `{values}` their parameters. `{record}` are their values, with the
  payload from wherever it is stored. `{new_columns}` are the columns that an insert sets, and `{new_values}` their
  parameters. `rows` lists them.
- `{matches}` is the condition of a filter; `matching` returns its parameters.
- `{candidates}` are the records that a filter may match, read from indexes that together have each of them once;
  `candidates` returns the parameters that choose the indexes.
- `{passed}` is the condition that a job holds its unique key for a time, and this time has passed.
- `{searched}` are the same, read from the optional indexes for searches.
- `{is_other_id}` is true for a record whose id is not a UUIDv7 of about its `created_at`.
- `{is_backwards}` is true for a record that finished before its `created_at`, by the times of the calls.
- `{is_late}` is true for a record that did not finish within an hour after its `created_at`, but finished.
- `{schedule_columns}` are the columns of a schedule, `{schedule_values}` their parameters, and `{schedule_changes}` the
  assignments that replace a stored one.
- `{prefix}` begins the names of the store's tables and indexes.
"""

from functools import cache
from importlib.resources import files

from .rows import COLUMNS, NEW_COLUMNS
from .schedule_rows import SCHEDULE_COLUMNS

_MATCHES = """state IN (SELECT value FROM json_each(:states))
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
    AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
    AND (:tags IS NULL OR EXISTS (
        SELECT 1 FROM json_each(job.tags) AS tag WHERE tag.value IN (SELECT value FROM json_each(:tags))
    ))
    AND (:error_types IS NULL OR error_type IN (SELECT value FROM json_each(:error_types)))
    AND (:error_part IS NULL OR instr(error_words, :error_part))
    AND (:workers IS NULL OR worker IN (SELECT value FROM json_each(:workers)))
    AND (:unique_keys IS NULL OR unique_key IN (SELECT value FROM json_each(:unique_keys)))
    AND (:created_since IS NULL OR created_at >= :created_since)
    AND (:created_until IS NULL OR created_at < :created_until)
    AND (:finished_since IS NULL OR finished_at >= :finished_since)
    AND (:finished_until IS NULL OR finished_at < :finished_until)"""

_CANDIDATES = """
        SELECT rowid AS place FROM {prefix}_jobs INDEXED BY {prefix}_waiting
        WHERE :waiting AND state IN ('pending', 'retrying')
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_waiting
        WHERE queue IN (SELECT value FROM json_each(:waiting_queues)) AND state IN ('pending', 'retrying')
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_leases
        WHERE :running AND state = 'running'
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_retrying
        WHERE :retrying AND state IN ('pending', 'retrying') AND (state = 'retrying' OR last_error IS NOT NULL)
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_finished
        WHERE state IN (SELECT value FROM json_each(:finals)) AND finished_at BETWEEN :first AND :last
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_errors
        WHERE :failed AND last_error IS NOT NULL AND instr(error_words, :error_part)
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_error_types
        WHERE error_type IN (SELECT value FROM json_each(:by_error_types))
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_unique_keys
        WHERE unique_key IN (SELECT value FROM json_each(:by_unique_keys))
        UNION ALL
        SELECT tagged_job.rowid
        FROM {prefix}_tags AS tagged CROSS JOIN {prefix}_jobs AS tagged_job ON tagged_job.id = tagged.id
        WHERE tagged.tag IN (SELECT value FROM json_each(:by_tags))
            AND NOT EXISTS (
                SELECT 1 FROM {prefix}_tags AS earlier
                WHERE earlier.tag IN (SELECT value FROM json_each(:by_tags))
                    AND earlier.id = tagged.id AND earlier.tag < tagged.tag
            )
        UNION ALL
        SELECT rowid FROM {prefix}_jobs
        WHERE :by_created AND id >= :lowest_id AND id < :highest_id
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_other_ids
        WHERE :by_created AND {is_other_id} AND NOT (id >= :lowest_id AND id < :highest_id)
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_backwards
        WHERE :by_created AND {is_backwards} AND NOT {is_other_id} AND NOT (id >= :lowest_id AND id < :highest_id)
    """

_PASSED = "unique_until GLOB '[0-9]*' AND min(created_at + unique_until * 1000000, 253402300799999999) <= :now"

_SEARCHED = """
        SELECT rowid AS place FROM {prefix}_jobs INDEXED BY {prefix}_search_kinds
        WHERE kind IN (SELECT value FROM json_each(:by_kinds))
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_search_queues
        WHERE queue IN (SELECT value FROM json_each(:by_queues))
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_search_workers
        WHERE worker IN (SELECT value FROM json_each(:by_workers))
    """

ID_TOLERANCE = 600
"""Seconds by which the time of a UUIDv7 may differ from `created_at`, if its job is to be found by a range of ids."""

_IS_OTHER_ID = f"""NOT (
        hex(substr(id, 1, 6)) >= printf('%012X', max(created_at / 1000 - {ID_TOLERANCE}000, 0))
        AND hex(substr(id, 1, 6)) < printf('%012X', max(created_at / 1000 + {ID_TOLERANCE}000, 0))
    )"""

_IS_BACKWARDS = "finished_at < created_at"

PROMPT_HOURS = 1
"""Hours within which a job finishes after `created_at`, if it is to be found by a range of `finished_at`."""

_IS_LATE = f"""finished_at IS NOT NULL AND NOT (
        finished_at >= created_at AND finished_at < created_at + {PROMPT_HOURS * 3600}000000
    )"""

_PAYLOAD = "coalesce(payload, (SELECT content FROM {prefix}_payloads WHERE job = number), x'')"

_PLACEHOLDERS = {
    "{candidates}": _CANDIDATES,
    "{searched}": _SEARCHED,
    "{is_other_id}": _IS_OTHER_ID,
    "{is_backwards}": _IS_BACKWARDS,
    "{is_late}": _IS_LATE,
    "{matches}": _MATCHES,
    "{columns}": ", ".join(COLUMNS),
    "{record}": ", ".join(_PAYLOAD if column == "payload" else column for column in COLUMNS),
    "{values}": ", ".join(f":{column}" for column in COLUMNS),
    "{passed}": _PASSED,
    "{new_columns}": ", ".join(NEW_COLUMNS),
    "{new_values}": ", ".join(f":{column}" for column in NEW_COLUMNS),
    "{schedule_columns}": ", ".join(SCHEDULE_COLUMNS),
    "{schedule_values}": ", ".join(f":{column}" for column in SCHEDULE_COLUMNS),
    "{schedule_changes}": ", ".join(f"{column} = excluded.{column}" for column in SCHEDULE_COLUMNS if column != "name"),
}


class Queries:
    """The statements for the tables with one prefix."""

    insert: str
    free_keys: str
    duplicates: str
    change_holders: str
    add_queue: str
    add_tags: str
    add_payload: str
    claim: str
    discard_damaged: str
    next_due: str
    extend: str
    report_progress: str
    settle: str
    rescue: str
    get: str
    read: str
    list: str
    list_waiting: str
    list_by_other_id: str
    list_late_by_id: str
    list_late_by_finished_at: str
    list_by_error: str
    list_by_error_type: str
    list_by_unique_key: str
    list_by_finished_at: str
    list_by_run_at: str
    list_failed_by_finished_at: str
    list_failed_by_run_at: str
    count: str
    count_candidates: str
    list_candidates: str
    count_searched: str
    count_candidates_searched: str
    list_candidates_searched: str
    count_ledger: str
    stats: str
    stats_ledger: str
    has_search: str
    cancel: str
    requeue: str
    delete: str
    update: str
    purge: str
    restore: str
    is_stored: str
    pause: str
    resume: str
    queues: str

    put_schedules: str
    schedules: str
    schedule: str
    due_schedules: str
    advance_schedules: str
    remove_schedules: str
    beat: str
    remove_worker: str
    remove_workers: str
    workers: str
    meter: str
    remove_meters: str
    meters: str
    meters_large: str

    data_version: str

    begin_read: str
    begin_write: str
    savepoint: str
    savepoint_release: str
    savepoint_rollback: str
    main_file: str

    taken_names: str
    is_empty: str
    version: str
    create_migrations: str
    add_migration: str
    set_created_file: str
    created_file: str
    create_search_indexes: str
    drop_search_indexes: str
    drop: str

    doctor_integrity: str
    doctor_size: str

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.migrations = [self._named(text) for text in read_all("migrations").values()]
        for name, text in read_all("queries").items():
            setattr(self, name.removesuffix(".sql"), self._named(text))

    def _named(self, text: str) -> str:
        """Replace the placeholders. Only the prefix comes from a user, and `location` has validated it."""
        for placeholder, value in _PLACEHOLDERS.items():
            text = text.replace(placeholder, value)
        return text.replace("{prefix}", self._prefix)


@cache
def read_all(folder: str) -> dict[str, str]:
    """Return the text of each `.sql` file of a folder by its name, sorted by name."""
    found = [file for file in (files(__package__) / folder).iterdir() if file.name.endswith(".sql")]
    return {file.name: file.read_text("utf-8") for file in sorted(found, key=lambda file: file.name)}

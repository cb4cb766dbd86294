"""The SQL statements, read from their files. The head of each file states its effect, locks and index.

They contain placeholders:

- `{columns}` are the columns of a record, `{new_columns}` those that an insert sets, and `{new_values}` their
  parameters; `rows` lists them.
- `{matches}` is the condition of a filter.
- `{schema}` is the schema's name, and `{channel}` is the channel that wakes waiting clients.
- `{now}` is the `now` of the call, by default the server's clock at the start of the statement. (PostgreSQL's `now()`
  is the start of the transaction, which may be long ago in an application's own transaction.)
"""

from functools import cache
from importlib.resources import files
from typing import LiteralString

from .rows import COLUMNS, NEW_COLUMNS

_MATCHES = """(%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s::uuid[]))
        AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
        AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[]))
        AND (%(queues)s::text[] IS NULL OR queue = ANY (%(queues)s::text[]))
        AND (%(tags)s::text[] IS NULL OR (tags <> '{}' AND tags && %(tags)s::text[]))"""

_NOW = "coalesce(%(now)s::timestamptz, statement_timestamp())"

_PLACEHOLDERS = {
    "{matches}": _MATCHES,
    "{columns}": ", ".join(COLUMNS),
    "{new_columns}": ", ".join(NEW_COLUMNS),
    "{new_values}": ", ".join(f"%({name})s::{type}[]" for name, type in NEW_COLUMNS.items()),
}

CHANNEL = "tallystick:{schema}"
"""The channel that wakes waiting clients. The payload of a notification is the name of a queue."""


class Queries:
    """The statements for the tables of one schema."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self.migrations = [self._named(text) for text in read_all("migrations").values()]

        self.insert = self._read("insert")
        self.duplicates = self._read("duplicates")
        self.claim = self._read("claim")
        self.discard_damaged = self._read("discard_damaged")
        self.next_due = self._read("next_due")
        self.extend = self._read("extend")
        self.settle = self._read("settle")
        self.rescue = self._read("rescue")
        self.get = self._read("get")
        self.list = self._read("list")
        self.stats = self._read("stats")
        self.fold = self._read("fold")
        self.cancel = self._read("cancel")
        self.requeue = self._read("requeue")
        self.delete = self._read("delete")
        self.purge = self._read("purge")
        self.pause = self._read("pause")
        self.resume = self._read("resume")
        self.queues = self._read("queues")
        self.listen = self._read("listen")

        self.lock = self._read("lock")
        self.find_schema = self._read("find_schema")
        self.mark = self._read("mark")
        self.is_empty = self._read("is_empty")
        self.version = self._read("version")
        self.create_schema = self._read("create_schema")
        self.create_migrations = self._read("create_migrations")
        self.add_migration = self._read("add_migration")
        self.drop = self._read("drop")
        self.drop_schema = self._read("drop_schema")

        self.doctor_server = self._read("doctor_server")
        self.doctor_transactions = self._read("doctor_transactions")
        self.doctor_session = self._read("doctor_session")
        self.doctor_notify = self._read("doctor_notify")
        self.doctor_indexes = self._read("doctor_indexes")
        self.doctor_triggers = self._read("doctor_triggers")
        self.doctor_tables = self._read("doctor_tables")
        self.doctor_ledger = self._read("doctor_ledger")

    def _read(self, name: str) -> LiteralString:
        return self._named(read_all("queries")[f"{name}.sql"])

    def _named(self, text: str) -> LiteralString:
        """Replace the placeholders. Only the schema's name comes from a user, and `location` has validated it."""
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

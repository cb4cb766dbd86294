"""The SQL statements, read from their files. The head of each file states its effect, locks and index.

They contain placeholders:

- `{columns}` are the columns of a record, `{new_columns}` those that an insert sets, and `{new_values}` their
  parameters; `rows` lists them.
- `{prefix}` begins the names of the store's tables and indexes.
"""

from functools import cache
from importlib.resources import files

from .rows import COLUMNS, NEW_COLUMNS

_COLUMNS = {
    "{columns}": ", ".join(COLUMNS),
    "{new_columns}": ", ".join(NEW_COLUMNS),
    "{new_values}": ", ".join(f":{column}" for column in NEW_COLUMNS),
}


class Queries:
    """The statements for the tables with one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.migrations = [self._named(text) for text in read_all("migrations").values()]

        self.insert = self._read("insert")
        self.duplicates = self._read("duplicates")
        self.add_queue = self._read("add_queue")
        self.claim = self._read("claim")
        self.discard_damaged = self._read("discard_damaged")
        self.next_due = self._read("next_due")
        self.extend = self._read("extend")
        self.settle = self._read("settle")
        self.rescue = self._read("rescue")
        self.get = self._read("get")
        self.list = self._read("list")
        self.stats = self._read("stats")
        self.cancel = self._read("cancel")
        self.requeue = self._read("requeue")
        self.delete = self._read("delete")
        self.purge = self._read("purge")
        self.pause = self._read("pause")
        self.resume = self._read("resume")
        self.queues = self._read("queues")
        self.data_version = self._read("data_version")

        self.begin_read = self._read("begin_read")
        self.begin_write = self._read("begin_write")
        self.savepoint = self._read("savepoint")
        self.savepoint_release = self._read("savepoint_release")
        self.savepoint_rollback = self._read("savepoint_rollback")
        self.main_file = self._read("main_file")

        self.taken_names = self._read("taken_names")
        self.is_empty = self._read("is_empty")
        self.version = self._read("version")
        self.create_migrations = self._read("create_migrations")
        self.add_migration = self._read("add_migration")
        self.set_created_file = self._read("set_created_file")
        self.created_file = self._read("created_file")
        self.drop = self._read("drop")

        self.doctor_integrity = self._read("doctor_integrity")
        self.doctor_size = self._read("doctor_size")

    def _read(self, name: str) -> str:
        return self._named(read_all("queries")[f"{name}.sql"])

    def _named(self, text: str) -> str:
        """Replace the placeholders. Only the prefix comes from a user, and `location` has validated it."""
        for placeholder, value in _COLUMNS.items():
            text = text.replace(placeholder, value)
        return text.replace("{prefix}", self._prefix)


@cache
def read_all(folder: str) -> dict[str, str]:
    """Return the text of each `.sql` file of a folder by its name, sorted by name."""
    found = [file for file in (files(__package__) / folder).iterdir() if file.name.endswith(".sql")]
    return {file.name: file.read_text("utf-8") for file in sorted(found, key=lambda file: file.name)}

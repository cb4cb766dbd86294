"""The SQL statements, read from their files. The head of each file states its effect, locks and index.

They contain three placeholders: `{columns}` are the columns of a record, `{new_columns}` those that an insert sets, and
`{new_values}` their parameters. `rows` lists them.
"""

from importlib.resources import files

from .rows import COLUMNS, NEW_COLUMNS


def _read_all(folder: str) -> dict[str, str]:
    """Return the text of each `.sql` file of a folder by its name, sorted by name."""
    found = [file for file in (files(__package__) / folder).iterdir() if file.name.endswith(".sql")]
    return {file.name: _named(file.read_text("utf-8")) for file in sorted(found, key=lambda file: file.name)}


def _named(text: str) -> str:
    """Replace the placeholders."""
    text = text.replace("{columns}", ", ".join(COLUMNS)).replace("{new_columns}", ", ".join(NEW_COLUMNS))
    return text.replace("{new_values}", ", ".join(f":{column}" for column in NEW_COLUMNS))


MIGRATIONS: tuple[str, ...] = tuple(_read_all("migrations").values())
"""The migration at index n upgrades the schema from version n to n + 1. Each statement ends with a semicolon and a
newline."""

_queries = _read_all("queries")

INSERT = _queries["insert.sql"]
DUPLICATES = _queries["duplicates.sql"]
ADD_QUEUE = _queries["add_queue.sql"]
CLAIM = _queries["claim.sql"]
DISCARD_DAMAGED = _queries["discard_damaged.sql"]
NEXT_DUE = _queries["next_due.sql"]
EXTEND = _queries["extend.sql"]
SETTLE = _queries["settle.sql"]
RESCUE = _queries["rescue.sql"]
GET = _queries["get.sql"]
LIST = _queries["list.sql"]
STATS = _queries["stats.sql"]
CANCEL = _queries["cancel.sql"]
REQUEUE = _queries["requeue.sql"]
DELETE = _queries["delete.sql"]
PURGE = _queries["purge.sql"]
PAUSE = _queries["pause.sql"]
RESUME = _queries["resume.sql"]
QUEUES = _queries["queues.sql"]
DATA_VERSION = _queries["data_version.sql"]

BEGIN_READ = _queries["begin_read.sql"]
BEGIN_WRITE = _queries["begin_write.sql"]
SAVEPOINT = _queries["savepoint.sql"]
SAVEPOINT_RELEASE = _queries["savepoint_release.sql"]
SAVEPOINT_ROLLBACK = _queries["savepoint_rollback.sql"]
MAIN_FILE = _queries["main_file.sql"]

MARK = _queries["mark.sql"]
IS_EMPTY = _queries["is_empty.sql"]
VERSION = _queries["version.sql"]
DROP = _queries["drop.sql"]

DOCTOR_INTEGRITY = _queries["doctor_integrity.sql"]
DOCTOR_SIZE = _queries["doctor_size.sql"]

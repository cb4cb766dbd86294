"""The SQL statements, read from their files. The head of each file states its effect, locks and index.

They contain three placeholders: `{columns}` are the columns of a record, `{new_columns}` those that an insert sets, and
`{new_values}` their parameters. `rows` lists them.
"""

from importlib.resources import files

from .rows import COLUMNS, NEW_COLUMNS

_FOLDER = files(__package__) / "queries"


def _read(name: str) -> str:
    return _named((_FOLDER / f"{name}.sql").read_text("utf-8"))


def _named(text: str) -> str:
    """Replace the placeholders."""
    text = text.replace("{columns}", ", ".join(COLUMNS)).replace("{new_columns}", ", ".join(NEW_COLUMNS))
    return text.replace("{new_values}", ", ".join(f":{column}" for column in NEW_COLUMNS))


INSERT = _read("insert")
DUPLICATES = _read("duplicates")
ADD_QUEUE = _read("add_queue")
CLAIM = _read("claim")
DISCARD_DAMAGED = _read("discard_damaged")
NEXT_DUE = _read("next_due")
EXTEND = _read("extend")
SETTLE = _read("settle")
RESCUE = _read("rescue")
GET = _read("get")
LIST = _read("list")
STATS = _read("stats")
CANCEL = _read("cancel")
REQUEUE = _read("requeue")
DELETE = _read("delete")
PURGE = _read("purge")
PAUSE = _read("pause")
RESUME = _read("resume")
QUEUES = _read("queues")
DATA_VERSION = _read("data_version")

BEGIN_READ = _read("begin_read")
BEGIN_WRITE = _read("begin_write")
SAVEPOINT = _read("savepoint")
SAVEPOINT_RELEASE = _read("savepoint_release")
SAVEPOINT_ROLLBACK = _read("savepoint_rollback")
MAIN_FILE = _read("main_file")

MARK = _read("mark")
IS_EMPTY = _read("is_empty")
VERSION = _read("version")
DROP = _read("drop")

DOCTOR_INTEGRITY = _read("doctor_integrity")
DOCTOR_SIZE = _read("doctor_size")

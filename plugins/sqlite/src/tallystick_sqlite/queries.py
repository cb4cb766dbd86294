"""The SQL statements, read from their files. The head of each file states its effect, locks and index."""

from importlib.resources import files

_FOLDER = files(__package__) / "queries"


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text("utf-8")


BEGIN_READ = _read("begin_read")
BEGIN_WRITE = _read("begin_write")
SAVEPOINT = _read("savepoint")
SAVEPOINT_RELEASE = _read("savepoint_release")
SAVEPOINT_ROLLBACK = _read("savepoint_rollback")

IS_EMPTY = _read("is_empty")
MAIN_FILE = _read("main_file")
DATA_VERSION = _read("data_version")
DROP_JOBS = _read("drop_jobs")
DROP_QUEUES = _read("drop_queues")

INSERT = _read("insert")
ADD_QUEUE = _read("add_queue")
HOLDER = _read("holder")
NEXT_DUE = _read("next_due")
CLAIM = _read("claim")
DISCARD_DAMAGED = _read("discard_damaged")
EXTEND = _read("extend")
SETTLE_COMPLETE = _read("settle_complete")
SETTLE_RETRY = _read("settle_retry")
SETTLE_DISCARD = _read("settle_discard")
SETTLE_RELEASE = _read("settle_release")
SETTLE_CANCEL = _read("settle_cancel")
RESCUE = _read("rescue")

GET = _read("get")
MATCHING = _read("matching")
STATS = _read("stats")

CANCEL = _read("cancel")
REQUEST_CANCEL = _read("request_cancel")
REQUEUE = _read("requeue")
DELETE = _read("delete")
PURGE = _read("purge")

QUEUES = _read("queues")
PAUSE = _read("pause")
RESUME = _read("resume")

"""The statements, each read once from its file. What one does, locks and searches by stands at its head.

`{schema}` stands for the schema's name, and `{now}` for the moment that a call goes by: the one that it was given, else
the server's clock when the statement began. (PostgreSQL's `now()` is when the transaction began, which may be long ago
where it is an application's.)
"""

from functools import cache
from importlib.resources import files

_FOLDER = files(__package__) / "queries"

_NOW = "coalesce(%(now)s::timestamptz, statement_timestamp())"


class Queries:
    """The statements on the tables of one schema."""

    def __init__(self, schema: str) -> None:
        self._schema = quoted(schema)
        self.insert = self._read("insert")
        self.duplicates = self._read("duplicates")
        self.claim = self._read("claim")
        self.next_due = self._read("next_due")
        self.extend = self._read("extend")
        self.settle = self._read("settle")
        self.rescue = self._read("rescue")
        self.get = self._read("get")
        self.list = self._read("list")
        self.stats = self._read("stats")
        self.due = self._read("due")
        self.fold = self._read("fold")
        self.cancel = self._read("cancel")
        self.requeue = self._read("requeue")
        self.delete = self._read("delete")
        self.purge = self._read("purge")
        self.pause = self._read("pause")
        self.resume = self._read("resume")
        self.queues = self._read("queues")

    def _read(self, name: str) -> str:
        return _text(name).replace("{schema}", self._schema).replace("{now}", _NOW)


@cache
def _text(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text("utf-8")


def quoted(name: str) -> str:
    """Return a name as SQL, for any that a URL may give."""
    return f'"{name}"'

"""Stores before setup, and files and tables that another program made at the store's URL."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tallystick import Filter, ForeignStore, NewRecord, NotSetUp, TallystickError

from ..harness.case import LEASE, NOW, Case, example
from ..subject.tracing import traced

_FOREIGN = b"another program's notes\n" * 1_000


@example("SETUP-09")
def before_setup_there_is_nothing(case: Case) -> None:
    """Before setup, list, queues and claim return nothing or raise NotSetUp, for the first client and the next."""
    case.backend.teardown()
    for _ in range(2):
        client = case.client()
        reads: tuple[Callable[[], object], ...] = (
            lambda client=client: list(client.list(Filter(), limit=9)),  # type: ignore[misc]
            lambda client=client: list(client.queues()),  # type: ignore[misc]
            lambda client=client: list(client.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)),  # type: ignore[misc]
        )
        for read in reads:
            try:
                case.equal([], read())
            except NotSetUp:
                continue
    case.backend.setup()
    case.insert(NewRecord(kind="k"))


@example("SETUP-10")
def foreign_files_are_left_alone(case: Case) -> None:
    """If the store is a file, setup raises ForeignStore for any other file at its path.

    Setup and teardown leave that file, and a file next to it, unchanged.
    """
    candidates = _files(case)
    case.backend.teardown()
    file = next((path for path in candidates if not path.exists()), None)
    if file is None:
        return
    neighbour = file.with_name(f"{file.name}.notes")
    for path in (file, neighbour):
        path.write_bytes(_FOREIGN)
    try:
        case.that(_is_rejected(case, "setup"), "ForeignStore", "setup used another program's file as a store")
        _is_rejected(case, "teardown")
        _require_not_read(case)
        for path in (file, neighbour):
            case.that(path.is_file() and path.read_bytes() == _FOREIGN, "an unchanged file", f"{path} was changed")
        file.unlink()
        for method in ("setup", "teardown"):
            _is_rejected(case, method)
        case.that(neighbour.read_bytes() == _FOREIGN, "an unchanged file next to the store", f"{neighbour} was changed")
    finally:
        for path in (file, neighbour):
            path.unlink(missing_ok=True)


def _is_rejected(case: Case, method: str) -> bool:
    try:
        with case.target.make(case.namespace) as client:
            getattr(traced(client, case.steps), method)()
    except ForeignStore:
        return True
    return False


def _require_not_read(case: Case) -> None:
    """Require that calls on a file that is no store raise ForeignStore or NotSetUp."""
    with case.target.make(case.namespace) as client:
        foreign = traced(client, case.steps)
        calls: tuple[Callable[[], object], ...] = (
            lambda: foreign.insert([NewRecord(kind="k")], now=NOW),
            lambda: list(foreign.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)),
            lambda: list(foreign.list(Filter(), limit=1)),
            foreign.queues,
        )
        for call in calls:
            case.equal("ForeignStore or NotSetUp", _answer(call))


def _answer(call: Callable[[], object]) -> object:
    try:
        return call()
    except (ForeignStore, NotSetUp):
        return "ForeignStore or NotSetUp"
    except TallystickError as exc:
        return exc


def _files(case: Case) -> list[Path]:
    """Return the files that the URL's path may name. The store must be set up."""
    if case.target.url is None or case.target.backend is None:
        return []
    path = unquote(urlsplit(case.target.backend.namespaced(case.target.url, case.namespace)).path)
    return [file for name in (path.removeprefix("/"), path) if name and (file := Path(name)).is_file()]


@example("SETUP-10")
def foreign_tables_are_left_alone(case: Case) -> None:
    """Teardown of a store in an SQL database keeps a table that another program made next to the store's tables."""
    if not case.capabilities.transactions:
        return
    with case.backend.transaction() as transaction:
        if not hasattr(transaction, "execute"):
            return
        table = f"{_schema(transaction, case.namespace)}foreign_notes"
    _execute(case, f"CREATE TABLE {table} (note integer)")
    try:
        case.backend.teardown()
        try:
            case.equal([], _execute(case, f"SELECT note FROM {table}"))  # noqa: S608 - both are ours
        except NotSetUp:
            case.backend.setup()
            case.equal([], _execute(case, f"SELECT note FROM {table}"))  # noqa: S608
        _execute(case, f"DROP TABLE {table}")
    finally:
        case.backend.setup()


def _schema(transaction: Any, namespace: str) -> str:
    """Return the quoted schema of the store's tables with a dot, or an empty string in a database without schemas."""
    with suppress(Exception):
        for [schema] in transaction.execute("SELECT DISTINCT table_schema FROM information_schema.tables").fetchall():
            if namespace in schema:
                return f'"{schema}".'
    return ""


def _execute(case: Case, statement: str) -> list[tuple[object, ...]]:
    with case.raw.transaction() as transaction:
        cursor: Any = transaction.execute(statement)  # type: ignore[attr-defined]
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

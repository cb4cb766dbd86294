"""Before setup there is nothing, and what somebody else has put at the URL is left alone."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tallystick import ConfigurationError, Filter, ForeignStore, NewRecord, NotSetUp, TallystickError

from ..case import LEASE, NOW, Case, example
from ..tracing import traced

_FOREIGN = b"somebody's notes\n" * 1_000


@example("SETUP-09")
def before_setup_there_is_nothing(case: Case) -> None:
    """Opened but not set up, a store is empty to each call that looks, or says NotSetUp; and so it is after another."""
    case.backend.teardown()
    for _ in range(2):
        client = case.client()
        looks: tuple[Callable[[], object], ...] = (
            lambda client=client: list(client.list(Filter(), limit=9)),  # type: ignore[misc]
            lambda client=client: list(client.queues()),  # type: ignore[misc]
            lambda client=client: list(client.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)),  # type: ignore[misc]
        )
        for look in looks:
            try:
                case.equal([], look())
            except NotSetUp:
                continue
    case.backend.setup()
    case.insert(NewRecord(kind="k"))


@example("SETUP-06")
def malformed_urls_are_refused(case: Case) -> None:
    """A URL that cannot be read is refused as such."""
    url, backend = case.target.url, case.target.backend
    if url is not None and backend is not None:
        case.refuses(ConfigurationError, lambda: backend.from_url(f"{url.partition(':')[0]}://[").close())


@example("SETUP-10")
def foreign_files_are_left_alone(case: Case) -> None:
    """Where the store is a file: what is no store is refused by setup, and what is there or beside it is left alone."""
    candidates = _files(case)
    case.backend.teardown()
    file = next((path for path in candidates if not path.exists()), None)
    if file is None:
        return
    beside = file.with_name(f"{file.name}.notes")
    for path in (file, beside):
        path.write_bytes(_FOREIGN)
    try:
        case.that(_is_refused(case, "setup"), "ForeignStore", "somebody else's file was taken for a store")
        _is_refused(case, "teardown")
        _is_not_read(case)
        for path in (file, beside):
            case.that(path.is_file() and path.read_bytes() == _FOREIGN, "a file left as it was", f"{path} was changed")
        file.unlink()
        for method in ("setup", "teardown"):
            _is_refused(case, method)
        case.that(beside.read_bytes() == _FOREIGN, "a file beside the store left as it was", f"{beside} was changed")
    finally:
        for path in (file, beside):
            path.unlink(missing_ok=True)


@example("SETUP-10")
def foreign_tables_are_left_alone(case: Case) -> None:
    """Where a transaction executes SQL: a table that somebody has made beside the store's outlives its teardown."""
    if not case.capabilities.transactions:
        return
    with case.backend.transaction() as transaction:
        if not hasattr(transaction, "execute"):
            return
        table = f"{_schema(transaction, case.namespace)}somebodys"
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
    """Return the schema that has the store's tables, quoted and with a dot; nothing where the database has one only."""
    with suppress(Exception):
        for [schema] in transaction.execute("SELECT DISTINCT table_schema FROM information_schema.tables").fetchall():
            if namespace in schema:
                return f'"{schema}".'
    return ""


def _execute(case: Case, statement: str) -> list[tuple[object, ...]]:
    with case.raw.transaction() as transaction:
        cursor: Any = transaction.execute(statement)  # type: ignore[attr-defined]
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []


def _is_refused(case: Case, method: str) -> bool:
    try:
        with case.target.make(case.namespace) as client:
            getattr(traced(client, case.steps), method)()
    except ForeignStore:
        return True
    return False


def _is_not_read(case: Case) -> None:
    """Require that calls on what is no store say so."""
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
    """Return the files that the URL's path may name, while the store is set up."""
    if case.target.url is None or case.target.backend is None:
        return []
    path = unquote(urlsplit(case.target.backend.namespaced(case.target.url, case.namespace)).path)
    return [file for name in (path.removeprefix("/"), path) if name and (file := Path(name)).is_file()]

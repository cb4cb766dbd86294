"""A memory store over TCP: a request is a pickled call, and a response is a pickled value."""

# ruff: noqa: D102 - the contract's docstrings are inherited

import pickle
import socket
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit
from uuid import UUID

from tallystick import (
    Advance,
    Backend,
    Beat,
    Capabilities,
    Changes,
    Claim,
    Closed,
    Filter,
    Hold,
    Inserted,
    Meter,
    MeterDelta,
    NewRecord,
    NewSchedule,
    Outcome,
    OutcomeUnknown,
    ProgressReport,
    Queue,
    Record,
    Schedule,
    State,
    Stats,
    Unavailable,
    WorkerInfo,
)
from tallystick_memory import MemoryBackend

TIMEOUT = 1.0
"""Seconds that a client waits for a response."""


@contextmanager
def serving(backend: type[Backend] = MemoryBackend) -> Iterator[str]:
    """Serve the stores of a memory backend, and yield their URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    over = Event()
    acceptor = Thread(target=_accept, args=(listener, backend, over))
    acceptor.start()
    try:
        yield f"served://127.0.0.1:{listener.getsockname()[1]}/store"
    finally:
        over.set()
        acceptor.join()
        listener.close()


def _accept(listener: socket.socket, backend: type[Backend], over: Event) -> None:
    threads: list[Thread] = []
    while not over.is_set():
        with suppress(TimeoutError):
            connection, _ = listener.accept()
            threads.append(Thread(target=_serve, args=(connection, backend, over)))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _serve(connection: socket.socket, backend: type[Backend], over: Event) -> None:
    connection.settimeout(0.1)
    with connection, suppress(OSError, EOFError):
        name = _received(connection, over)
        with backend.from_url(f"memory://served.{name}") as store:
            while True:
                method, args, kwargs = _received(connection, over)
                try:
                    answer = getattr(store, method)(*args, **kwargs)
                except Exception as exc:
                    answer = exc
                _send(connection, answer)


def _send(connection: socket.socket, value: object) -> None:
    data = pickle.dumps(value)
    connection.sendall(len(data).to_bytes(8, "big") + data)


def _received(connection: socket.socket, over: Event | None = None) -> Any:
    size = int.from_bytes(_read(connection, 8, over), "big")
    return pickle.loads(_read(connection, size, over))


def _read(connection: socket.socket, size: int, over: Event | None) -> bytes:
    data = b""
    while len(data) < size:
        try:
            chunk = connection.recv(size - len(data))
        except TimeoutError:
            if over is None or over.is_set():
                raise
            continue
        if not chunk:
            raise EOFError("the connection was closed")
        data += chunk
    return data


class ServedBackend(Backend):
    """A connection to a server, opened at the first call and reopened after it was lost."""

    contract_version: ClassVar[int] = 2

    def __init__(self, address: tuple[str, int], store: str) -> None:
        self._address, self._store = address, store
        self._connection: socket.socket | None = None
        self._lock = Lock()
        self._closed = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        return cls((parts.hostname, parts.port), parts.path.strip("/"))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return f"{url}_{namespace}"

    @property
    def capabilities(self) -> Capabilities:
        with MemoryBackend() as memory:
            return replace(memory.capabilities, multi_process=True)

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            if self._closed:
                raise Closed("this backend was closed")
            connection = self._connected()
            try:
                _send(connection, (method, args, kwargs))
                answer = _received(connection)
            except (OSError, EOFError) as exc:
                self._let_go()
                raise self._lost(exc) from exc
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _connected(self) -> socket.socket:
        if self._connection is None:
            try:
                connection = socket.create_connection(self._address, TIMEOUT)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _send(connection, self._store)
            except OSError as exc:
                raise Unavailable(f"{self._address} could not be reached: {exc}") from exc
            self._connection = connection
        return self._connection

    def _lost(self, exc: Exception) -> Exception:
        return OutcomeUnknown(f"the answer was lost: {exc!r}")

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def setup(self) -> None:
        self._ask("setup")

    def teardown(self) -> None:
        self._ask("teardown")

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        return self._ask("insert", records, transaction=transaction, now=now)  # type: ignore[no-any-return]

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        return self._ask("claim", queues, limit=limit, worker=worker, lease=lease, now=now)  # type: ignore[no-any-return]

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        return self._ask("extend", claims, lease=lease, now=now)  # type: ignore[no-any-return]

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        return self._ask("report_progress", reports, now=now)  # type: ignore[no-any-return]

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        return self._ask("settle", outcomes, transaction=transaction, now=now)  # type: ignore[no-any-return]

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        return self._ask("rescue", limit=limit, now=now)  # type: ignore[no-any-return]

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        return self._ask("get", ids)  # type: ignore[no-any-return]

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        return self._ask("list", filter, limit=limit, after=after, **options)  # type: ignore[no-any-return]

    def stats(self, *, now: datetime | None = None) -> Stats:
        return self._ask("stats", now=now)  # type: ignore[no-any-return]

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        return self._ask("cancel", filter, limit=limit, now=now)  # type: ignore[no-any-return]

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        return self._ask("requeue", filter, limit=limit, now=now)  # type: ignore[no-any-return]

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        return self._ask("delete", filter, limit=limit)  # type: ignore[no-any-return]

    def purge(self, states: Sequence[State], *, before: datetime, limit: int, **options: Any) -> int:
        return self._ask("purge", states, before=before, limit=limit, **options)  # type: ignore[no-any-return]

    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        return self._ask("restore", records, now=now)  # type: ignore[no-any-return]

    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        return self._ask("count", filter, at_most=at_most)  # type: ignore[no-any-return]

    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        return self._ask("update", filter, changes, limit=limit, now=now)  # type: ignore[no-any-return]

    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        return self._ask("put_schedules", schedules, now=now)  # type: ignore[no-any-return]

    def schedules(self, names: Collection[str] | None = None) -> Sequence[Schedule]:
        return self._ask("schedules", names)  # type: ignore[no-any-return]

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        return self._ask("due_schedules", limit=limit)  # type: ignore[no-any-return]

    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        return self._ask("advance", advances, now=now)  # type: ignore[no-any-return]

    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        return self._ask("remove_schedules", names)  # type: ignore[no-any-return]

    def beat(self, beat: Beat, *, ttl: timedelta, now: datetime | None = None) -> None:
        self._ask("beat", beat, ttl=ttl, now=now)

    def workers(self) -> Sequence[WorkerInfo]:
        return self._ask("workers")  # type: ignore[no-any-return]

    def meter(self, deltas: Sequence[MeterDelta], *, now: datetime | None = None) -> None:
        self._ask("meter", deltas, now=now)

    def meters(self, since: datetime, until: datetime, *, step: timedelta) -> Sequence[Meter]:
        return self._ask("meters", since, until, step=step)  # type: ignore[no-any-return]

    def pause(self, queue: str) -> None:
        self._ask("pause", queue)

    def resume(self, queue: str) -> None:
        self._ask("resume", queue)

    def queues(self) -> Sequence[Queue]:
        return self._ask("queues")  # type: ignore[no-any-return]

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return self._ask("wait", queues, timeout=timeout)  # type: ignore[no-any-return]

    def close(self) -> None:
        self._closed = True
        connection = self._connection
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._let_go()

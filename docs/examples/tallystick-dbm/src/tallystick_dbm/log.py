"""The file: a header, then one line per step. Steps are atomic, and only one client takes a step at a time.

The `dbm` modules of the standard library change one key at a time, but a batch of jobs must be stored all or nothing.
So this module only appends lines. Each client keeps the store in memory, and starts each step by reading new lines.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_UN, flock
from io import FileIO
from pathlib import Path
from threading import Lock
from uuid import uuid4
from zlib import crc32

from tallystick import ForeignStore, NotSetUp, OutcomeUnknown, Unavailable

from . import rows
from .store import Change, Store

_MAGIC = b"tallystick-dbm 1 "
_HEADER_BYTES = len(_MAGIC) + 33
"""The magic, then an id unique to this file, then a newline."""


class Log:
    """One client's view of the file. A lock in memory separates its threads; a lock on the file separates clients."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = Lock()
        self._reset()

    def setup(self) -> None:
        """Write the header if the file has none."""
        with self._turn, self._locked("a+") as file:
            if not _header(file, self._path):
                _write(file, _MAGIC + uuid4().hex.encode() + b"\n")

    def teardown(self) -> None:
        """Delete the file if it exists and was created by this backend."""
        with self._turn, suppress(NotSetUp), self._locked("r+") as file:
            _header(file, self._path)
            self._path.unlink()

    @contextmanager
    def step(self) -> Iterator[Store]:
        """Lock the file, yield the current store, and append the block's changes to the file."""
        with self._turn, self._locked("r+") as file:
            try:
                self._catch_up(file)
                yield self._store
                self._append(file)
            except BaseException:
                self._reset()  # the store may differ from the file; the next step reads the whole file again
                raise

    def _reset(self) -> None:
        self._store, self._header, self._end = Store(), b"", 0

    def _catch_up(self, file: FileIO) -> None:
        header = _header(file, self._path)
        if not header:
            raise NotSetUp(f"{self._path} is empty; run `tallystick setup` with its URL, or call setup()")
        if header != self._header:  # the store was torn down and set up again
            self._reset()
            self._header, self._end = header, len(header)
        file.seek(self._end)
        for line in file.readall().splitlines(keepends=True):
            if (changes := _read(line)) is None:
                break
            self._store.repeat(changes)
            self._end += len(line)
        self._store.changes.clear()

    def _append(self, file: FileIO) -> None:
        if not self._store.changes:
            return
        line = _line(self._store.changes)
        with _mapped(self._path, OutcomeUnknown):
            file.truncate(self._end)
            file.seek(self._end)
            _write(file, line)
        self._end += len(line)
        self._store.changes.clear()

    @contextmanager
    def _locked(self, mode: str) -> Iterator[FileIO]:
        with _mapped(self._path, Unavailable):
            while True:
                with _open(self._path, mode) as file:
                    flock(file, LOCK_EX)
                    try:
                        if _is_at(file, self._path):
                            yield file
                            return
                    finally:
                        flock(file, LOCK_UN)  # closing does not unlock if a forked child has a copy of the descriptor


def _open(path: Path, mode: str) -> FileIO:
    try:
        return FileIO(path, mode)
    except FileNotFoundError as exc:
        if not path.parent.exists():
            raise
        raise NotSetUp(f"{path} does not exist; run `tallystick setup` with its URL, or call setup()") from exc


def _is_at(file: FileIO, path: Path) -> bool:
    """Return whether an open file is still at its path. A teardown may have deleted it during the wait for the lock."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _header(file: FileIO, path: Path) -> bytes:
    file.seek(0)
    header = file.read(_HEADER_BYTES)
    if header and not header.startswith(_MAGIC):
        raise ForeignStore(f"{path} was not created by tallystick-dbm 1 and was not changed; use another path")
    return header


def _line(changes: Sequence[Change]) -> bytes:
    text = json.dumps(changes, default=rows.plain).encode()
    return b"%08x %s\n" % (crc32(text), text)


def _read(line: bytes) -> Sequence[Change] | None:
    """Return the changes of a line; None if it is incomplete. Only the last line can be, after its writer died."""
    checksum, _, text = line.partition(b" ")
    if not text.endswith(b"\n") or checksum != b"%08x" % crc32(text[:-1]):
        return None
    changes: Sequence[Change] = json.loads(text)
    return changes


def _write(file: FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


@contextmanager
def _mapped(path: Path, error: type[Unavailable | OutcomeUnknown]) -> Iterator[None]:
    """Raise errors of the operating system as Tallystick's. No other function does."""
    try:
        yield
    except OSError as exc:
        raise error(f"{path} could not be used: {exc}") from exc

"""The file: a header, then a line for each step. A step is in it whole or not at all, and one is taken at a time.

The `dbm` modules of the standard library change one key at a time, but a batch of jobs is stored all or nothing. So
this file is only appended to. Each client keeps the store in memory, and first reads what others have appended.
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
"""After the magic comes an id of this one file, and a newline."""


class Log:
    """One client's view of the file. Its threads take turns by a lock in memory, all clients by a lock on the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = Lock()
        self._forget()

    def setup(self) -> None:
        """Write the header, if there is none."""
        with self._turn, self._locked("a+") as file:
            if not _header(file, self._path):
                _write(file, _MAGIC + uuid4().hex.encode() + b"\n")

    def teardown(self) -> None:
        """Remove the file, if it is there and ours."""
        with self._turn, suppress(NotSetUp), self._locked("r+") as file:
            _header(file, self._path)
            self._path.unlink()

    @contextmanager
    def step(self) -> Iterator[Store]:
        """Give the store as it is now, and write what the block changed in it. Meanwhile nobody else has it."""
        with self._turn, self._locked("r+") as file:
            try:
                self._catch_up(file)
                yield self._store
                self._append(file)
            except BaseException:
                self._forget()  # it may be ahead of the file; the next step reads the file from its beginning
                raise

    def _forget(self) -> None:
        self._store, self._header, self._end = Store(), b"", 0

    def _catch_up(self, file: FileIO) -> None:
        header = _header(file, self._path)
        if not header:
            raise NotSetUp(f"{self._path} is empty; run `tallystick setup` with its URL, or call setup()")
        if header != self._header:  # torn down, and set up again
            self._forget()
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
                        flock(file, LOCK_UN)  # closing is not enough where a fork has copied the descriptor


def _open(path: Path, mode: str) -> FileIO:
    try:
        return FileIO(path, mode)
    except FileNotFoundError as exc:
        if not path.parent.exists():
            raise
        raise NotSetUp(f"{path} is not there; run `tallystick setup` with its URL, or call setup()") from exc


def _is_at(file: FileIO, path: Path) -> bool:
    """Say whether an open file still has its name: it may have been torn down while we waited for the lock."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _header(file: FileIO, path: Path) -> bytes:
    file.seek(0)
    header = file.read(_HEADER_BYTES)
    if header and not header.startswith(_MAGIC):
        raise ForeignStore(f"{path} was not made by tallystick-dbm 1; it was left as it was")
    return header


def _line(changes: Sequence[Change]) -> bytes:
    text = json.dumps(changes, default=rows.plain).encode()
    return b"%08x %s\n" % (crc32(text), text)


def _read(line: bytes) -> Sequence[Change] | None:
    """Return a line's changes; None if it is not whole: then it is the last, and its writer died before the answer."""
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
    """Raise what the operating system says as ours: the one place for it."""
    try:
        yield
    except OSError as exc:
        raise error(f"{path} could not be used: {exc}") from exc

"""`tallystick jobs import`: read the lines of an export, and store their jobs in batches."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from ..backends import restore_calls
from ..contract.backend import CONTRACT_VERSION, Backend
from ..contract.records import Record
from ..errors import ConfigurationError, InvalidArgument
from ..messages.safe_repr import safe_repr
from . import export_lines, show
from .options import Json, Url, examples, opened

_JOBS, _BYTES = 1_000, 16 * 1024 * 1024
"""A batch has at most so many jobs, and ends after so many bytes of lines."""

File = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The export; by default, or as -, the standard input.")
]


@dataclass
class Counts:
    """The jobs, schedules and pauses that were new, and those that the store had already."""

    jobs: int = 0
    jobs_there: int = 0
    schedules: int = 0
    schedules_there: int = 0
    paused: int = 0

    def __str__(self) -> str:
        """Return the counts for people."""
        shown = f"{self.jobs:,} new jobs, {self.jobs_there:,} there already"
        if self.schedules or self.schedules_there:
            shown += f"; {self.schedules:,} new schedules, {self.schedules_there:,} there already"
        return shown + (f"; {self.paused:,} queues paused" if self.paused else "")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        "import",
        epilog=examples(
            "tallystick jobs import jobs.jsonl --backend postgresql://db/app",
            "tallystick jobs export --backend sqlite:///jobs.db | tallystick jobs import --backend mongodb://db/app",
        ),
    )(import_jobs)


def import_jobs(file: File = None, *, url: Url = None, as_json: Json = False) -> None:
    """Store the jobs of an export, with their ids, states, errors and times.

    A job whose id is stored already stays as it is, so a repeated import has no
    effect. Jobs are stored in batches, each whole or not at all. An error names
    the line; the batches before it are stored.

    With --json: an object with the keys jobs, jobs_there (already),
    schedules, schedules_there and paused (queues).
    """
    with _lines(file) as lines, opened(url) as store:
        counts = Import(store).read(lines)
    if as_json:
        show.document(asdict(counts))
    else:
        typer.echo(f"imported: {counts}")


@contextmanager
def _lines(file: Path | None) -> Iterator[IO[bytes]]:
    if file is None or str(file) == "-":
        if sys.stdin.isatty():
            raise ConfigurationError("there is no export to read; name its file, or pipe it to this command")
        yield sys.stdin.buffer
        return
    try:
        opened_file = file.open("rb")
    except OSError as exc:
        raise ConfigurationError(f"{file} cannot be read: {exc.strerror}") from exc
    with opened_file:
        yield opened_file


class Import:
    """One import: its store, the jobs that wait for the next batch, and the counts so far."""

    def __init__(self, store: Backend) -> None:
        self._store = store
        self._most = min(_JOBS, store.capabilities.max_batch)
        self._waiting: list[Record] = []
        self._first = 0
        self._bytes = 0
        self._counts = Counts()

    def read(self, lines: Iterable[bytes]) -> Counts:
        """Store everything that the lines of an export have.

        Raises:
            InvalidArgument: A line is wrong, or the last one is missing. The batches before it are stored.
        """
        number, is_open = 0, False
        for number, text in enumerate(lines, 1):
            if text.strip():
                with self._naming(f"line {number}"):
                    is_open = self._read(number, text, is_open=is_open)
                if len(self._waiting) >= self._most or self._bytes >= _BYTES:
                    self._store_waiting()
        self._store_waiting()
        with self._naming(f"line {number}"):
            if is_open or not number:
                raise InvalidArgument("the export ends without its last line; export again" if number else _NO_EXPORT)
        return self._counts

    def _read(self, number: int, text: bytes, *, is_open: bool) -> bool:
        """Read one line. Return whether others must follow."""
        found = export_lines.parsed(text)
        if (found["type"] == "export") == is_open:
            raise InvalidArgument(
                "an export begins here, but the one before has no end; export again" if is_open else _NO_EXPORT
            )
        match found["type"]:
            case "export":
                _check_version(found)
            case "queue":
                self._pause(found)
            case "schedule":
                self._put(found)
            case "job":
                self._add(number, len(text), export_lines.record(found))
            case "end":
                return False
            case unknown:
                raise InvalidArgument(
                    f"the type is {safe_repr(unknown)}; it must be export, queue, schedule, job or end"
                )
        return True

    def _add(self, number: int, size: int, record: Record) -> None:
        restore_calls.restore([record], self._store.capabilities)  # so that the error names the line
        self._first = self._first if self._waiting else number
        self._waiting.append(record)
        self._bytes += size

    def _store_waiting(self) -> None:
        records, self._waiting, self._bytes = self._waiting, [], 0
        if not records:
            return
        with self._naming(f"in the {len(records):,} jobs from line {self._first} on"):
            stored = self._store.restore(records)
        self._counts.jobs += sum(stored)
        self._counts.jobs_there += len(stored) - sum(stored)

    def _pause(self, found: Mapping[str, Any]) -> None:
        if found.get("paused"):
            self._store.pause(found.get("name"))  # type: ignore[arg-type]  # the store rejects any other value
            self._counts.paused += 1

    def _put(self, found: Mapping[str, Any]) -> None:
        new = export_lines.new_schedule(found)
        if self._store.schedules([new.name]):
            self._counts.schedules_there += 1
            return
        self._store.put_schedules([new])
        self._counts.schedules += 1

    @contextmanager
    def _naming(self, place: str) -> Iterator[None]:
        """Add the place in the export and the counts so far to an error."""
        try:
            yield
        except InvalidArgument as exc:
            raise type(exc)(f"{place}: {exc}. Stored before: {self._counts}; a repeated import skips these") from exc


_NO_EXPORT = 'the first line of an export has the type "export"; read a file of `tallystick jobs export`'


def _check_version(found: Mapping[str, Any]) -> None:
    if found.get("contract") != CONTRACT_VERSION:
        raise InvalidArgument(
            f"the export has version {found.get('contract')!r} of the contract, and this release reads "
            f"{CONTRACT_VERSION}; export and import with the same release"
        )

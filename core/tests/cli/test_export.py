"""`tallystick jobs export` and `import`: every field is kept, and broken exports are errors with a line."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tallystick import (
    CONTRACT_VERSION,
    FINAL,
    Advance,
    AttemptError,
    Backend,
    Cancel,
    Complete,
    Discard,
    Failure,
    Filter,
    Meta,
    NewRecord,
    NewSchedule,
    ProgressReport,
    Record,
    Retry,
    Schedule,
    State,
    open_backend,
)
from tallystick.cli import export

from .conftest import Cli

NOW = datetime(2026, 11, 29, 8, 0, 0, 123_456, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)
ERROR = Failure("OSError", "disk \ud800\0", "line 1\nline 2")


def fill(store: Backend) -> list[Record]:
    """Store a job in each state, as an application would, and return all records."""
    options: dict[str, Any] = {"payload": b"\0\xff", "tags": ("a", 'b"'), "meta": {"k": "\0"}, "priority": -3}
    for n, state in enumerate(State):
        until = ("started", "finished", "purged", LEASE, "finished", "finished")[n]
        new = NewRecord(kind=state, queue=state, unique_key=f"key {n}", unique_until=until, **options)  # type: ignore[arg-type]
        store.insert([new], now=NOW)
    for state in (state for state in State if state is not State.PENDING):
        [record] = store.claim([state], limit=1, worker="w", lease=LEASE, now=NOW)
        outcome: Any = {
            State.RETRYING: Retry(record.claim, LEASE, ERROR),
            State.COMPLETED: Complete(record.claim, '{"é": 1}'.encode()),
            State.DISCARDED: Discard(record.claim, ERROR),
            State.CANCELLED: Cancel(record.claim),
        }.get(state)
        if outcome is not None:
            store.settle([outcome], now=NOW + timedelta(seconds=1))
    store.cancel(Filter(states=[State.RUNNING]), limit=1, now=NOW)
    [running] = store.list(Filter(states=[State.RUNNING]), limit=1)
    store.report_progress([ProgressReport(running.claim, 0.25, "page 1\n")], now=NOW)
    return everything(store)


def everything(store: Backend) -> list[Record]:
    """Return all records with their errors."""
    return sorted(store.get([record.id for record in store.list(Filter(), limit=1_000)]).values())


def lines(text: str) -> list[dict[str, Any]]:
    """Parse JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def other(tmp_path: Path) -> Cli:
    """Return a function that calls commands on another store, which is set up."""
    cli = Cli(f"sqlite:///{tmp_path}/other.db")
    assert cli("setup").code == 0
    return cli


def test_an_import_restores_every_field(cli: Cli, store: Backend, other: Cli) -> None:
    """The jobs of an export are stored in another backend as they were, and a repeat has no effect."""
    records = fill(store)
    written = cli("jobs", "export")
    assert written.err == "exported: 6 jobs\n"
    assert other("jobs", "import", input=written.out).out == "imported: 6 new jobs, 0 there already\n"
    with open_backend(other.url) as copy:
        assert everything(copy) == records
        assert other("jobs", "import", input=written.out).out == "imported: 0 new jobs, 6 there already\n"
        assert everything(copy) == records
    assert other("jobs", "export").out.splitlines()[1:] == written.out.splitlines()[1:]


def test_the_lines_of_an_export(cli: Cli, store: Backend) -> None:
    """The first line has the contract, and the last one counts the jobs. Stored bytes are text or base64."""
    text, _ = store.insert([NewRecord(kind="a", payload='{"é":1}'.encode()), NewRecord(kind="b", payload=b"\xff")])
    first, binary, plain, last = lines(cli("jobs", "export").out)
    assert (first["type"], first["contract"]) == ("export", CONTRACT_VERSION)
    assert (plain["type"], plain["id"], plain["payload"]) == ("job", str(text.record.id), '{"é":1}')
    assert binary["payload"] == {"base64": "/w=="}
    assert (plain["result"], plain["errors"], plain["unique_until"]) == (None, [], "finished")
    assert set(plain) == {"type", *Record._fields}
    assert last == {"type": "end", "jobs": 2}


def test_filters_choose_the_exported_jobs(cli: Cli, store: Backend) -> None:
    """An export takes the filters of the other commands."""
    fill(store)
    found = lines(cli("jobs", "export", "--state", "discarded", "--state", "retrying").out)
    assert [each["kind"] for each in found[1:-1]] == ["discarded", "retrying"]
    assert found[1]["errors"][0]["message"] == ERROR.message


def test_long_exports_are_read_in_pages(cli: Cli, store: Backend, other: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export reads pages of limited size, and an import stores them in whole batches."""
    monkeypatch.setattr(export, "_FIRST", 2)
    monkeypatch.setattr(export, "_PAGE_BYTES", 30)
    monkeypatch.setattr("tallystick.cli.import_jobs._JOBS", 3)
    store.insert([NewRecord(kind="k", payload=b"x" * 10) for _ in range(8)])
    written = cli("jobs", "export").out
    assert other("jobs", "import", "--json", input=written).json == {
        "jobs": 8,
        "jobs_there": 0,
        "schedules": 0,
        "schedules_there": 0,
        "paused": 0,
    }


def test_schedules_and_pauses_move_on_request(cli: Cli, store: Backend, other: Cli, tmp_path: Path) -> None:
    """With --schedules and --pauses, an export has them too. A schedule keeps its last tick, next tick and pause."""
    fields: dict[str, Any] = {"kind": "k", "payload": b"\xff", "meta": Meta({"a": "b"}), "after": NOW - 2 * HOUR}
    new = [NewSchedule(name=name, rule="@hourly", **fields) for name in ("active", "ended", "new", "paused")]
    active, ended, _, paused = store.put_schedules(new, now=NOW)
    tick = (NOW - HOUR).replace(minute=0, second=0, microsecond=0)
    advances = [
        Advance(name=active.name, revision=1, ticks=(tick,), next_tick=tick + HOUR),
        Advance(name=ended.name, revision=1, ticks=(tick,), next_tick=None),
        Advance(name=paused.name, revision=1, next_tick=tick, paused=True),
    ]
    assert list(store.advance(advances, now=NOW)) == [True, True, True]
    store.pause("closed")
    assert {line["type"] for line in lines(cli("jobs", "export").out)} == {"export", "job", "end"}
    file = tmp_path / "all.jsonl"
    file.write_text(cli("jobs", "export", "--schedules", "--pauses").out)
    assert other("jobs", "import", file).out == (
        "imported: 2 new jobs, 0 there already; 4 new schedules, 0 there already; 1 queues paused\n"
    )
    with open_backend(other.url) as copy:
        assert [kept(one) for one in copy.schedules()] == [kept(one) for one in store.schedules()]
        assert [one.last_tick for one in copy.schedules()] == [tick, tick, None, None]
        assert ("closed", True) in [(queue.name, queue.paused) for queue in copy.queues()]
    assert other("jobs", "import", file).out == (
        "imported: 0 new jobs, 2 there already; 0 new schedules, 4 there already; 1 queues paused\n"
    )


def kept(schedule: Schedule) -> Schedule:
    """Return what another store keeps of a schedule."""
    return schedule._replace(revision=1, updated_at=NOW)


HEAD = json.dumps({"type": "export", "contract": CONTRACT_VERSION})
END = json.dumps({"type": "end", "jobs": 1})


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "line 0: the first line of an export has the type"),
        ("[]\n", "line 1: this is no object with a type: []"),
        ("no\n", "line 1: this is no JSON: 'no"),
        (f"{END}\n", "line 1: the first line of an export"),
        ('{"type": "export", "contract": 1}\n', "line 1: the export has version 1 of the contract, and this release"),
        (f"{HEAD}\n{HEAD}\n", "line 2: an export begins here, but the one before has no end"),
        (f"{HEAD}\n\n", "line 2: the export ends without its last line"),
        (f'{HEAD}\n{{"type": "task"}}\n', "line 2: the type is 'task'; it must be export, queue"),
        (f'{HEAD}\n{{"type": "queue", "name": "", "paused": true}}\n', "line 2: queue is ''"),
        (f'{HEAD}\n{{"type": "schedule"}}\n', "line 2: the schedule has no field 'name'"),
    ],
)
def test_broken_exports_are_errors(other: Cli, written: str, message: str) -> None:
    """A line that no export has is an error with its number."""
    result = other("jobs", "import", input=written)
    assert result.code == 2
    assert f"error: {message}" in result.err
    assert "Stored before: 0 new jobs, 0 there already; a repeated import skips these" in result.err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "x"}, "id is 'x', which cannot be read"),
        ({"state": "done"}, "state is 'done'; it must be one of pending"),
        ({"created_at": "yesterday"}, "created_at is 'yesterday', which cannot be read"),
        ({"run_at": "2026-01-01T00:00:00"}, "which has no time zone"),
        ({"payload": {"base64": "?"}}, "payload is {'base64': '?'}, which cannot be read"),
        ({"errors": [7]}, "errors is [7], which cannot be read"),
        ({"progress": [0.5]}, "progress is [0.5], which cannot be read"),
        ({"meta": {"a": 1}}, "must be a string"),
        ({"more": 1}, "the job has the unknown field 'more'"),
    ],
)
def test_a_broken_job_names_its_line(
    cli: Cli, store: Backend, other: Cli, changes: dict[str, Any], message: str
) -> None:
    """A job that no store can have is an error with its line. The batches before it are stored, its own is not."""
    store.insert([NewRecord(kind="k"), NewRecord(kind="k")])
    first, one, two, end = lines(cli("jobs", "export").out)
    text = "\n".join(map(json.dumps, (first, one, two | changes, end)))
    result = other("jobs", "import", input=text)
    assert (result.code, result.out) == (2, "")
    assert "error: line 3: " in result.err
    assert message in result.err
    with open_backend(other.url) as copy:
        assert copy.count(Filter()) == 0


def test_a_held_key_names_the_jobs(cli: Cli, store: Backend, other: Cli) -> None:
    """A job whose unique key another job holds is an error with its id, and with the lines of its batch."""
    [inserted] = store.insert([NewRecord(kind="k", unique_key="key")])
    with open_backend(other.url) as copy:
        copy.insert([NewRecord(kind="k", unique_key="key")])
    result = other("jobs", "import", input=cli("jobs", "export").out)
    assert result.code == 2
    assert "error: in the 1 jobs from line 2 on: another job holds the unique key of " in result.err
    assert f"{inserted.record.id} ('key')" in result.err


def test_a_file_that_cannot_be_read_is_an_error(other: Cli, tmp_path: Path) -> None:
    """A file that does not exist is named."""
    result = other("jobs", "import", tmp_path / "missing.jsonl")
    assert result.code == 2
    assert "missing.jsonl cannot be read: No such file" in result.err


def test_a_closed_pipe_ends_an_export(other: Cli) -> None:
    """An export whose reader goes away exits with 0, as in `tallystick jobs export | head -1`."""
    with open_backend(other.url) as store:
        store.insert([NewRecord(kind="k", payload=b"x" * 1_000) for _ in range(500)])
    with subprocess.Popen(
        [sys.executable, "-m", "tallystick.cli", "jobs", "export"],
        env={**os.environ, "TALLYSTICK_BACKEND": other.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["type"] == "export"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_every_state_is_exported(store: Backend) -> None:
    """The jobs of these tests are in every state, with errors in two of them."""
    records = fill(store)
    assert {record.state for record in records} == {*State}
    assert {record.kind for record in records if record.errors} == {"retrying", "discarded"}
    assert all((record.finished_at is not None) == (record.state in FINAL) for record in records)
    assert [record.kind for record in records if record.progress] == ["running"]
    assert {type(error) for record in records for error in record.errors} == {AttemptError}

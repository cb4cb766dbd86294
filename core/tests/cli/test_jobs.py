import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tallystick import Backend, Complete, Discard, Failure, Filter, NewRecord, ProgressReport, Record, Retry
from tallystick.cli.filters import FILTERS

from .conftest import Cli

LEASE = timedelta(seconds=30)


def _insert(store: Backend, *records: NewRecord) -> list[Record]:
    return [result.record for result in store.insert(records)]


def _work(store: Backend) -> Record:
    return store.claim(["default"], limit=1, worker="w-1", lease=LEASE)[0]


def test_list_shows_one_line_for_each_job_newest_first(cli: Cli, store: Backend) -> None:
    """`jobs list` prints a header and one line per job, newest first, whatever the terminal's width."""
    store.insert(
        [NewRecord(kind="emails:welcome", queue="emails"), NewRecord(kind="report", run_at=timedelta(minutes=5.5))]
    )
    header, report, email = cli("jobs", "list", COLUMNS="40").out.splitlines()
    assert header.split() == ["id", "kind", "queue", "state", "attempt", "when", "last", "error"]
    assert report.split()[1:] == ["report", "default", "pending", "0/20", "due", "in", "5", "min"]
    assert email.split()[1:] == ["emails:welcome", "emails", "pending", "0/20", "due", "now"]


def test_list_shows_errors_in_short(cli: Cli, store: Backend) -> None:
    """`jobs list` shows an error's type and the start of its message, on one line and without control characters."""
    _insert(store, NewRecord(kind="a"))
    store.settle([Retry(_work(store).claim, timedelta(hours=1), Failure("OSError", "disk\n\x1b[31m" + "x" * 100))])
    _, line = cli("jobs", "list").out.splitlines()
    assert "due in 59 min  OSError: disk \\x1b[31mxxx" in line
    assert line.endswith("xxx...")


def test_list_dates_a_running_and_a_finished_job_by_its_work(cli: Cli, store: Backend) -> None:
    """`jobs list` shows when a running job began, and when a finished one ended."""
    _insert(store, NewRecord(kind="a"), NewRecord(kind="b"))
    store.settle([Complete(_work(store).claim)])
    _work(store)
    _, second, first = cli("jobs", "list").out.splitlines()
    assert "running" in second
    assert second.endswith("began now")
    assert "completed" in first
    assert first.endswith("ended now")


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ((), ["c", "b", "a"]),
        (("--kind", "a", "--kind", "b"), ["b", "a"]),
        (("--queue", "q", "--state", "pending"), ["b"]),
        (("--tag", "x", "--tag", "y"), ["c", "a"]),
        (("--state", "running"), []),
        (("--limit", 2), ["c", "b"]),
    ],
)
def test_list_filters(cli: Cli, store: Backend, options: tuple[object, ...], kinds: list[str]) -> None:
    """Values of a repeated option are alternatives; different options must all match."""
    _insert(
        store,
        NewRecord(kind="a", tags=("x",)),
        NewRecord(kind="b", queue="q"),
        NewRecord(kind="c", tags=("y", "z")),
    )
    assert [job["kind"] for job in cli("jobs", "list", "--json", *options).json] == kinds


def test_list_shows_how_to_get_the_next_page(cli: Cli, store: Backend) -> None:
    """A full page names its last id on stderr, and --after continues behind it."""
    first, second, third = _insert(store, *(NewRecord(kind=kind) for kind in "abc"))
    page = cli("jobs", "list", "--limit", 2)
    assert page.err == f"there may be more: --after {second.id}\n"
    assert str(third.id) in page.out
    rest = cli("jobs", "list", "--limit", 2, "--after", second.id)
    assert str(first.id) in rest.out
    assert rest.err == ""


def test_show_prints_everything(cli: Cli, store: Backend) -> None:
    """`jobs show` prints all fields, the payload and result as indented JSON, and the error with its traceback."""
    _insert(store, NewRecord(kind="a", payload='{"name": "é", "n": [1]}'.encode(), tags=("t:1", "t:2")))
    store.settle([Retry(_work(store).claim, timedelta(0), Failure("OSError", "disk", "Traceback:\n  line 7\n"))])
    job = _work(store)
    store.settle([Complete(job.claim, b'{"ok":true}')])
    out = cli("jobs", "show", job.id).out
    assert "\nstate             completed\n" in out
    assert "\nattempt           2\n" in out
    assert "\ntags              t:1, t:2\n" in out
    assert '\npayload\n{\n  "name": "é",\n  "n": [\n    1\n  ]\n}\n' in out
    assert '\nresult\n{\n  "ok": true\n}\n' in out
    assert out.endswith("\nlast_error\nOSError: disk\nTraceback:\n  line 7\n")


def test_show_prints_meta_and_the_history_of_errors(cli: Cli, store: Backend) -> None:
    """`jobs show` prints the meta in one line, and each error in one line: the attempt, the time and the message."""
    _insert(store, NewRecord(kind="a", meta={"trace": "7", "user": "ada"}))
    for error in (Failure("OSError", "disk"), Failure("KeyError", "x\ny")):
        store.settle([Retry(_work(store).claim, timedelta(0), error)])
    out = cli("jobs", "show", _work(store).id).out
    assert "\nmeta              trace=7, user=ada\n" in out
    history = out.split("\nerrors\n")[1].split("\n\n")[0].splitlines()
    assert [line.split(maxsplit=2) for line in history] == [
        ["1", "now", "OSError: disk"],
        ["2", "now", "KeyError: x y"],
    ]


def test_show_prints_the_progress(cli: Cli, store: Backend) -> None:
    """`jobs show` prints the progress in one printable line, and in JSON; `jobs list --json` omits it."""
    [job] = _insert(store, NewRecord(kind="k"))
    claimed = _work(store)
    store.report_progress([ProgressReport(claimed.claim, 0.4, "page 40\n\x1b[31mof 100")])
    assert re.search(r"\nprogress +40%, page 40 \\x1b\[31mof 100 \(", cli("jobs", "show", job.id).out)
    shown = cli("jobs", "show", job.id, "--json").json["progress"]
    assert (shown["fraction"], shown["message"]) == (0.4, "page 40\n\x1b[31mof 100")
    assert "progress" not in cli("jobs", "list", "--json").json[0]
    store.report_progress([ProgressReport(claimed.claim)])
    assert re.search(r"\nprogress +- \(", cli("jobs", "show", job.id).out)


def test_show_a_time(cli: Cli, store: Backend) -> None:
    """The time for which a job holds its unique key is shown, and is a number of seconds in JSON."""
    (job,) = _insert(store, NewRecord(kind="a", unique_key="k", unique_until=timedelta(hours=1)))
    assert "1:00:00" in cli("jobs", "show", job.id).out
    assert cli("jobs", "show", job.id, "--json").json["unique_until"] == 3600.0
    assert [listed["unique_until"] for listed in cli("jobs", "list", "--json").json] == [3600.0]


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b"", "empty"),
        (b"\x00\xffab", "4 bytes, not JSON: 00 ff 61 62"),
        (b"\xff" * 100, "100 bytes, not JSON: " + "ff " * 64 + "..."),
        (b"NaN", "3 bytes, not JSON: 4e 61 4e"),
        (b'"\\u001b[31m \\ud800 \\u0085"', '"\\u001b[31m \\ud800 \\x85"'),
        (b'"[bold]x[/bold]"', '"[bold]x[/bold]"'),
    ],
)
def test_show_prints_a_payload_safely(cli: Cli, store: Backend, payload: bytes, shown: str) -> None:
    """`jobs show` prints a payload that is not JSON as size and hex, and escapes control characters."""
    (job,) = _insert(store, NewRecord(kind="a", payload=payload))
    assert cli("jobs", "show", job.id).out.endswith(f"\npayload\n{shown}\n")


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"null", None),
        ('"é"'.encode(), "é"),
        (b"\x00\xff", {"base64": "AP8="}),
        (b"", {"base64": ""}),
        (b"1e999", {"base64": "MWU5OTk="}),
        (b"[" * 100_000, {"base64": pytest.approx}),
    ],
    ids=["object", "null", "text", "bytes", "empty", "infinity", "too deep"],
)
def test_a_payload_is_its_json_value_or_base64(cli: Cli, store: Backend, payload: bytes, value: object) -> None:
    """With --json, a payload is its JSON value, or an object with its bytes in base64."""
    (job,) = _insert(store, NewRecord(kind="a", payload=payload))
    shown = cli("jobs", "show", job.id, "--json").json["payload"]
    assert shown == value or (len(payload) == 100_000 and set(shown) == {"base64"})


def test_json_has_the_fields_of_a_record(cli: Cli, store: Backend) -> None:
    """With --json, the keys are the record's fields in their order, times are UTC, and `list` omits the errors."""
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    store.insert([NewRecord(kind="a", tags=("t",), meta={"trace": "7"})], now=now)
    (job,) = store.claim(["default"], limit=1, worker="w-1", lease=LEASE, now=now)
    store.settle([Discard(job.claim, Failure("OSError", "disk", "tb"))], now=now)
    shown = cli("jobs", "show", job.id, "--json").json
    assert list(shown) == list(Record._fields)
    assert shown["id"] == str(job.id)
    assert shown["finished_at"] == "2026-01-02T03:04:05Z"
    assert shown["lease_until"] is None
    assert shown["last_error"] == {"type": "OSError", "message": "disk", "traceback": "tb"}
    assert (shown["tags"], shown["meta"]) == (["t"], {"trace": "7"})
    assert shown.pop("progress") is None
    assert shown.pop("errors") == [
        {"attempt": 1, "at": "2026-01-02T03:04:05Z", "type": "OSError", "message": "disk", "traceback": "tb"}
    ]
    assert cli("jobs", "list", "--json").json == [shown]


def test_show_of_an_unknown_id_exits_with_1(cli: Cli) -> None:
    """`jobs show` of an unknown id names it in the error and exits with 1."""
    id = uuid4()
    result = cli("jobs", "show", id, "--json")
    assert (result.code, result.out, result.err) == (
        1,
        "",
        f"error: job {id} was not found; check the id and --backend\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--state", "nonsense"),
        ("list", "--limit", "0"),
        ("list", "--after", "x"),
        ("show", "not-an-id"),
        ("show",),
        ("lst",),
    ],
)
def test_bad_usage_exits_with_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    """An invalid argument is rejected with the usage, and the exit code is 2."""
    result = cli("jobs", *arguments)
    assert result.code == 2
    assert "Usage: " in result.err


def _failed(store: Backend, type: str, message: str, *, worker: str = "w-1", now: datetime | None = None) -> Record:
    (job,) = store.insert([NewRecord(kind="a", queue=worker, unique_key=message)], now=now)
    claim = store.claim([worker], limit=1, worker=worker, lease=LEASE, now=now)[0].claim
    store.settle([Discard(claim, Failure(type, message))], now=now)
    return job.record


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--error-type", "OSError", "--error-type", "KeyError"), "bc"),
        (("--error-text", "disk"), "b"),
        (("--worker", "w-2"), "c"),
        (("--unique-key", "disk full"), "b"),
        (("--created-since", "2026-01-03"), "c"),
        (("--created-until", "2026-01-03", "--state", "discarded"), "b"),
        (("--finished-since", "2026-01-02T03:00", "--finished-until", "2026-01-02T05:00+01:00"), ""),
        (("--finished-since", "2026-01-02T03:00", "--finished-until", "2026-01-02T05:00-01:00"), "b"),
    ],
)
def test_list_and_count_select_by_errors_workers_keys_and_times(
    cli: Cli, store: Backend, options: tuple[object, ...], found: str
) -> None:
    """The options select by the last error, the worker, the unique key, and the times of creation and end."""
    _insert(store, NewRecord(kind="plain"))
    jobs = {
        "b": _failed(store, "OSError", "disk full", now=datetime(2026, 1, 2, 4, tzinfo=UTC)),
        "c": _failed(store, "KeyError", "x", worker="w-2", now=datetime(2026, 1, 4, tzinfo=UTC)),
    }
    given = options if "since" not in str(options) else (*options, "--kind", "a")
    ids = {job["id"] for job in cli("jobs", "list", "--json", *given).json}
    assert ids == {str(jobs[name].id) for name in found}
    assert cli("jobs", "count", "--json", *given).json == {"count": len(found), "complete": True}


def test_an_empty_text_is_not_no_filter(cli: Cli, store: Backend) -> None:
    """An option with an empty value, as from an unset variable, is an error and never selects more jobs."""
    _insert(store, NewRecord(kind="a"))
    for option in ("--error-text", "--kind", "--created-since"):
        result = cli("jobs", "delete", "--queue", "default", "--yes", option, "")
        assert (result.code, store.stats().total) == (2, 1)


def test_count_has_a_limit(cli: Cli, store: Backend) -> None:
    """`jobs count` stops at --at-most."""
    _insert(store, *(NewRecord(kind=kind) for kind in "abc"))
    assert cli("jobs", "count").out == "3\n"
    assert cli("jobs", "count", "--at-most", 2).out == "2 or more\n"
    assert cli("jobs", "count", "--at-most", 2, "--json").json == {"count": 2, "complete": False}


def test_list_in_another_order_has_pages(cli: Cli, store: Backend) -> None:
    """`jobs list --order` lists the latest ends or the next due times first, and --after continues by the last id."""
    late, early = (
        _failed(store, "E", key, now=datetime(2026, 1, day, tzinfo=UTC)) for key, day in (("x", 9), ("y", 2))
    )
    later, soon = _insert(
        store, NewRecord(kind="a", run_at=timedelta(hours=2)), NewRecord(kind="a", run_at=timedelta(hours=1))
    )
    for order, first, second in (("finished_at", late, early), ("run_at", soon, later)):
        page = cli("jobs", "list", "--order", order, "--limit", 1)
        assert page.err == f"there may be more: --after {first.id}\n"
        [rest] = cli("jobs", "list", "--order", order, "--after", first.id, "--json").json
        assert rest["id"] == str(second.id)
    result = cli("jobs", "list", "--order", "finished_at", "--after", soon.id)
    assert (result.code, "has no finished_at now" in result.err) == (2, True)


def test_every_filter_has_an_option() -> None:
    """Each field of `Filter` is an option; ids are arguments."""
    assert {field.name for field in fields(Filter)} - {"ids"} == FILTERS.keys()

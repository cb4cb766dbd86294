"""Tables on a terminal, colours, and the list that is redrawn."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tallystick import Backend, Discard, Failure, NewRecord, Unavailable, open_backend
from tallystick.cli import listing, show, watch
from tallystick.cli.tables import Table

from .conftest import Cli
from .terminal import Terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return the URL of a store in a file: a discarded job of a long kind, and a pending one."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    with open_backend(url) as store:
        store.setup()
        store.insert([NewRecord(kind="reports:generate-quarterly-summary"), NewRecord(kind="b", queue="later")])
        claim = store.claim(["default"], limit=1, worker="w", lease=timedelta(minutes=1))[0].claim
        store.settle([Discard(claim, Failure("ConnectionError", "smtp.example.com refused the connection"))])
    return url


@pytest.mark.parametrize("columns", [60, 80, 110, 140, 200])
def test_a_list_fits_the_terminal(file: str, columns: int) -> None:
    """Each line fits the terminal. Ids stay whole, and the error is beneath its job if it has no column."""
    with Terminal("jobs", "list", "--backend", file, columns=columns) as terminal:
        assert terminal.finish() == 0
    lines = COLOUR.sub("", terminal.output).splitlines()
    assert max(map(len, lines)) <= columns
    assert re.fullmatch(r"[0-9a-f-]{36} .*", lines[1])
    assert "ConnectionError: smtp.example.com refu" in terminal.output
    assert (len(lines) == 4) == (columns < 140)


def test_a_wide_terminal_shows_everything(file: str) -> None:
    """A terminal that is wide enough shows every column in full."""
    with Terminal("jobs", "list", "--backend", file, columns=200) as terminal:
        terminal.finish()
    assert "reports:generate-quarterly-summary" in terminal.output
    assert "ConnectionError: smtp.example.com refused the connection" in terminal.output


@pytest.mark.parametrize(("options", "environment"), [((), {"NO_COLOR": "1"}), (("--no-color",), {})])
def test_no_color(file: str, options: Sequence[str], environment: dict[str, str]) -> None:
    """NO_COLOR and --no-color turn colours off. Otherwise a terminal gets them."""
    with Terminal("jobs", "list", "--backend", file) as coloured:
        coloured.finish()
    assert COLOUR.search(coloured.output)
    with Terminal(*options, "jobs", "list", "--backend", file, environment=environment) as plain:
        plain.finish()
    assert not COLOUR.search(plain.output)


def test_watch_redraws_until_ctrl_c(file: str) -> None:
    """`--watch` shows jobs that arrive, and Ctrl-C ends it with 0."""
    with Terminal("jobs", "list", "--watch", "--interval", "0.5", "--backend", file) as terminal:
        terminal.read_until("Ctrl-C ends")
        with open_backend(file) as store:
            store.insert([NewRecord(kind="arrived")])
        terminal.read_until("arrived")
        terminal.interrupt()
        assert terminal.finish() == 0
    assert "Traceback" not in terminal.output


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_watch_needs_a_terminal(cli: Cli, options: tuple[str, ...]) -> None:
    """Without a terminal, and with --json, `--watch` is rejected."""
    result = cli("jobs", "list", "--watch", *options)
    assert (result.code, result.out) == (2, "")
    assert "--json" in result.err


def test_watch_fits_the_height_and_outlives_an_outage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frame has fewer lines than the terminal. While the store is unavailable, the frame shows the error."""
    frames = iter([None, None, KeyboardInterrupt()])
    heights = []

    def sleep(seconds: float) -> None:
        assert seconds == 2
        if (end := next(frames)) is not None:
            raise end

    def view(rows: int) -> list[Any]:
        heights.append(rows)
        if len(heights) == 2:
            raise Unavailable("the server restarts")
        return [show.text(f"line {number}") for number in range(100)]

    monkeypatch.setattr(watch, "sleep", sleep)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "10")
    watch.watch(view, 2)
    first, second, third = capsys.readouterr().out.split("\x1b[H")[1:]
    assert first.count("\n") == third.count("\n") - 1 == 9
    assert "error: the server restarts" in second
    assert heights == [7, 7, 7]


class _ClosedPipe(Exception):
    pass


@pytest.mark.parametrize("options", [(), ("--json",), ("--order", "run_at")])
def test_the_first_page_is_printed_before_the_second_is_read(
    cli: Cli, store: Backend, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """A long list reads one page before it prints, so that `head` ends it at once."""
    store.insert([NewRecord(kind="a") for _ in range(1_500)])
    read: list[int] = []
    pages = type(store).list

    def counted(self: Backend, *args: Any, limit: int, **given: Any) -> Any:
        read.append(limit)
        return pages(self, *args, limit=limit, **given)

    def closed(*args: object, **given: object) -> None:
        raise _ClosedPipe

    monkeypatch.setattr(type(store), "list", counted)
    with monkeypatch.context() as patch:
        patch.setattr("typer.echo", closed)
        with pytest.raises(_ClosedPipe):
            cli("jobs", "list", "--limit", 100_000, *options)
    assert read == [listing._PAGES[0]]
    read.clear()
    result = cli("jobs", "list", "--limit", 1_200, *options)
    assert read == [100, 1_000, 100]
    ids = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", result.out)
    assert len(set(ids)) == len(ids) == 1_200


def test_pages_of_json_are_one_array(cli: Cli, store: Backend) -> None:
    """--json prints one array, also if it is empty or has several pages."""
    assert cli("jobs", "list", "--json").out == "[]\n"
    store.insert([NewRecord(kind="a", payload=b'{"a": ["b\\n", {}]}') for _ in range(150)])
    found = cli("jobs", "list", "--json", "--limit", 200).json
    assert [job["payload"] for job in found] == [{"a": ["b\n", {}]}] * 150


def test_a_table_narrows_then_drops_columns() -> None:
    """The widest column becomes narrower first, down to its minimum. Then columns are dropped in order."""

    def lines(width: int | None) -> list[str]:
        table = Table("id", "kind", "note", "#n", narrow={"kind": 4, "note": 4}, drop=("note", "n"))
        table.add_row("1234", "abcdefgh", "abcdef", "7")
        return [line.plain for line in table.lines(width)]

    assert lines(None) == ["id    kind      note    n", "1234  abcdefgh  abcdef  7"]
    assert lines(23)[1] == "1234  abcde…  abcdef  7"
    assert lines(19)[1] == "1234  abc…  abc…  7"
    assert lines(18)[1] == "1234  abcdefgh  7"
    assert lines(14)[1] == "1234  abcd…  7"
    assert lines(12)[1] == "1234  abcde…"
    assert lines(10)[1] == "1234  abc…"


def test_a_long_text_continues_on_the_next_line() -> None:
    """A column that folds loses no word."""
    table = Table("check", "found", narrow={"found": 8}, fold=("found",))
    table.add_row("size", "three short words")
    assert [line.plain for line in table.lines(18)] == ["check  found", "size   three short", "       words"]

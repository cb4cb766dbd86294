"""The timeline: its structure, read with an HTML parser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

from tallystick import Claim, Complete, NewRecord, OutcomeUnknown
from tallystick_conformance.history import Finding, Operation, Recorder, check
from tallystick_conformance.reports.timeline import write_timeline
from tallystick_memory import MemoryBackend

NOW = datetime(2030, 1, 1, tzinfo=UTC)
VOID = {"meta", "br"}


class Page(HTMLParser):
    """The elements of a page, each as (tag, attributes), its text, and whether every element was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record text."""
        self.text += data

    def with_class(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of the elements with a class."""
        return [attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split()]


def _history() -> list[Operation]:
    recorder = Recorder()
    with MemoryBackend() as backend:
        a, b = recorder.client(backend, "a"), recorder.client(backend, "<b>")
        id = a.insert([NewRecord(kind="<k>", queue="q&a")], now=NOW)[0].record.id
        a.claim(["q&a"], limit=1, worker="w", lease=timedelta(seconds=9), now=NOW)
        b.settle([Complete(Claim(id, 1))], now=NOW)
        b.settle([Complete(Claim(id, 1))], now=NOW)
        b.stats(now=NOW)
    insert, claim, first, second, stats = recorder.history()
    lost = replace(stats, answer=None, error=OutcomeUnknown("gone"))
    return [insert, claim, first, replace(second, answer=[True]), lost]


def _page(tmp_path: Path, history: list[Operation], findings: list[Finding]) -> Page:
    path = tmp_path / "timeline.html"
    write_timeline(history, findings, path)
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_shows_each_client_and_each_operation(tmp_path: Path) -> None:
    """Each client has a lane, each operation a bar and hidden details, and all names are escaped."""
    page = _page(tmp_path, _history(), check(_history(), precision=timedelta(microseconds=1)))

    assert page.open == []
    assert [lane["data-client"] for lane in page.with_class("lane")[1:]] == ["<b>", "a"]
    assert sorted(str(bar["data-n"]) for bar in page.with_class("op")) == ["0", "1", "2", "3", "4"]
    assert {f"details-{n}" for n in range(5)} <= {str(attributes.get("id")) for _, attributes in page.elements}
    assert 'NewRecord(kind="<k>"' in page.text or "NewRecord(kind='<k>'" in page.text


def test_the_page_tells_the_rule_and_marks_its_operations(tmp_path: Path) -> None:
    """The first finding is shown at the top, its operations are marked, and its record is listed."""
    history = _history()
    findings = check(history, precision=timedelta(microseconds=1))
    page = _page(tmp_path, history, findings)

    assert [finding.rule for finding in findings] == ["R3"]
    assert "R3: each attempt ends at most once." in page.text
    assert findings[0].text in page.text
    assert {bar["data-n"] for bar in page.with_class("found")} == {"0", "1", "2", "3"}
    assert len(page.with_class("record")) == 1


def test_bars_stand_where_their_time_was(tmp_path: Path) -> None:
    """A bar begins to the right of earlier bars; a call that never returned is drawn as open."""
    page = _page(tmp_path, _history(), [])
    lefts = {
        str(bar["data-n"]): float(str(bar["style"]).split("left:")[1].split("px")[0]) for bar in page.with_class("op")
    }

    assert sorted(lefts, key=lambda n: lefts[n]) == ["0", "1", "2", "3", "4"]
    assert [bar["data-n"] for bar in page.with_class("unknown")] == ["4"]


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    """The page loads no script, style, font or image, and has no link."""
    page = _page(tmp_path, _history(), [])

    assert not [tag for tag, attributes in page.elements if {"src", "href"} & attributes.keys()]


def test_a_clock_in_nanoseconds_is_drawn_as_steps(tmp_path: Path) -> None:
    """Large clock values of processes do not make the page wide."""
    history = [replace(o, began=o.began * 10**9, ended=(o.ended or 0) * 10**9) for o in _history()]
    page = _page(tmp_path, history, [])

    assert max(float(str(bar["style"]).split("left:")[1].split("px")[0]) for bar in page.with_class("op")) < 1_000

"""German pages contain no English: every text passes through the catalogue, which translates all of them."""

import ast
import re
from collections.abc import Iterator
from gettext import NullTranslations
from html.parser import HTMLParser
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from babel.messages.pofile import read_po
from starlette.testclient import TestClient
from tallystick import InvalidArgument, Runner, parse_rule
from tallystick_dashboard.pages import jobs, render
from tallystick_dashboard.pages.german_rules import german
from tallystick_dashboard.pages.translations import LOCALE, translations

from .application import add, add_attempts, add_schedule, add_worker, complete, discard, retry, run
from .conftest import Visit

STORES = ("memory",)

SHOWN = (
    "title",
    "aria-label",
    "placeholder",
    "alt",
    "data-template",
    "data-confirm",
    "data-copied",
    "data-completed",
    "data-failed",
)
"""The attributes that readers see or hear."""

DATA = {
    *("Tallystick", "local", "token", "emails", "greet", "raw", "log_in", "hourly", "w1", "host-1", "gone", "UTC"),
    *("ValueError", "try", "again", "Ada", "Hello", "eu", "max_attempts", "JSON", "ms", "min", "every", "minutes"),
    *("daily", "now", "null"),
    *("default", "created_until", "priority", "name", "Name", "Times", "Loud", "size", "small", "large"),
    *("After", "More"),
    *("state", "kind", "discarded", "queue", "schedule", "id", "copy_of", "finished", "pending", "requeue", "update"),
}  # fmt: skip
"""Words of the store, of code, and of units. Everything else on a page is a text for people."""


class Reader(HTMLParser):
    """Collects the texts of a page, and apart from them those that are marked as English."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.english: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the texts of the attributes."""
        given = dict(attrs)
        self.texts += [given[name] or "" for name in SHOWN if name in given]
        if tag not in ("meta", "link", "input", "path", "polyline"):
            self._open.append((tag, given.get("lang") == "en" or tag in ("code", "pre", "kbd", "style", "script")))

    def handle_endtag(self, tag: str) -> None:
        """Close the element, and those inside that have no end."""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        is_english = any(english for _, english in self._open[1:])
        (self.english if is_english else self.texts).append(data)


def texts(html: str) -> list[str]:
    """Return the texts for people: of elements and of attributes."""
    reader = Reader()
    reader.feed(html)
    return [" ".join(text.split()) for text in reader.texts if text.strip()]


class Marked(NullTranslations):
    """Puts each text of the catalogue in brackets."""

    def gettext(self, message: str) -> str:
        """Return the text in brackets."""
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the text in brackets, in the right number."""
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


def outside(text: str) -> list[str]:
    """Return the words of a text that are neither in brackets nor data."""
    inner = re.compile("⟦[^⟦⟧]*⟧")
    while inner.search(text):
        text = inner.sub(" ", text)
    text = re.sub(r"[0-9a-f-]{36}|…?[0-9a-f]{8}\b|\d[\d-]+T[\d:.+Z]+", " ", text)  # ids and times
    return [word for word in re.findall(r"[^\W\d_][\w-]+", text) if word not in DATA]


@pytest.fixture
def ids(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Fill the store so that each part of each page is shown. Return the jobs, one in each state."""
    monkeypatch.setattr(jobs, "SLOW", -1.0)
    backend = runner.backend
    add(backend)
    running = run(backend)
    ids = [
        complete(backend),
        discard(backend, message="Ada"),
        retry(backend),
        add(backend, tags=("eu",), unique_key="k"),
        running,
    ]
    add_worker(backend, running)
    add_schedule(runner)
    add_schedule(runner, "every", "every 5 minutes")
    add_attempts(backend, completed=5, discarded=5)
    runner.pause_schedule("every")
    backend.pause("emails")
    return ids


DONE = (
    *("requeue", "not_requeue", "cancel", "not_cancel", "delete", "not_delete", "update", "not_update", "rerun"),
    *("enqueue", "duplicate", "pause_queue", "resume_queue", "pause_schedule", "resume_schedule", "remove_schedule"),
    *("run_schedule", "save_schedule"),
)


def every_page(visit: Visit, ids: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield the pages of each kind with their names: filled, after actions, with errors, and for other users."""
    browser = visit(language="de")
    for action, id in (("cancel", ids[3]), ("requeue", ids[0]), ("update", ids[3])):
        browser.post(f"/jobs/{id}/{action}", data={"priority": "3"})
    for path in ("/queues/pause", "/queues/resume"):
        browser.post(path, data={"name": "emails"})
    for action in ("pause", "resume", "run"):
        browser.post(f"/schedules/{action}", data={"name": "hourly"})
    bulk = browser.post("/bulk", data={"action": "requeue", "state": "discarded"}).headers["location"]
    plain = ("/", "/jobs", "/failures", "/schedules", "/schedules/edit", "/queues", "/workers", "/enqueue", "/audit")
    more = (
        *(f"/jobs/{id}" for id in ids),
        *(f"/?done={done}" for done in DONE),
        *("/jobs?kind=unknown", "/jobs?state=discarded&kind=greet", "/enqueue?kind=greet", "/enqueue?kind=raw"),
        *("/schedules/edit?name=hourly", "/schedules/preview?rule=@daily", "/schedules/preview?rule=x", bulk),
        *("/bulk?action=update&kind=greet", "/bulk?action=requeue&kind=greet", "/bulk?action=cancel&kind=x"),
    )
    wrong = (
        *("/nothing", f"/jobs/{uuid4()}", "/jobs/x", "/bulk", "/bulk/x", f"/bulk/{uuid4()}", "/jobs?after=x"),
        *("/schedules/edit?name=x", "/jobs?limit=0", "/login"),
    )
    for path in (*plain, *more):
        page = browser.get(path)
        assert page.status_code == 200, (path, page.text)
        yield path, page.text
    for path in wrong:
        page = browser.get(path)
        assert page.status_code in (404, 422), (path, page.text)
        yield path, page.text
    yield from _rejected_forms(browser, ids)
    yield from _other_users(visit, ids)


def _rejected_forms(browser: TestClient, ids: list[Any]) -> Iterator[tuple[str, str]]:
    for path, fields in (
        ("/schedules/save", {"name": "x", "rule": "nonsense", "kind": "greet", "is_new": "1"}),
        ("/enqueue", {"kind": "greet", "field.times": "many"}),
        ("/enqueue", {"kind": "raw", "payload": "{"}),
        ("/enqueue", {"kind": "unknown"}),
        (f"/jobs/{ids[3]}/update", {"run_at": "soon"}),
        (f"/jobs/{ids[3]}/explode", {}),
        ("/schedules/remove", {"name": "x"}),
        ("/bulk", {"action": "delete"}),
    ):
        page = browser.post(path, data=fields)
        assert page.status_code in (404, 422), (path, page.text)
        yield path, page.text
    page = browser.post("/queues/pause", headers={"sec-fetch-site": "cross-site"})
    assert page.status_code == 403
    yield "of another site", page.text
    page = browser.get("/", headers={"host": "evil.example"})
    assert page.status_code == 421
    yield "of another host", page.text
    yield "405", browser.delete("/jobs").text


def _other_users(visit: Visit, ids: list[Any]) -> Iterator[tuple[str, str]]:
    reader = visit(language="de", read_only=True, can_see_payloads=False)
    for path in ("/", f"/jobs/{ids[0]}", "/schedules/edit?name=hourly", "/bulk?action=requeue&kind=greet", "/enqueue"):
        yield f"{path} to read", reader.get(path).text
    denied = reader.post(f"/jobs/{ids[1]}/requeue")
    assert denied.status_code == 403
    yield "denied", denied.text
    yield "audit", reader.get("/audit").text
    stranger = visit(language="de", token="0123456789abcdef-token")
    yield "login", stranger.get("/").text
    yield "wrong token", stranger.post("/login", data={"token": "x"}).text


def empty_pages(visit: Visit) -> Iterator[tuple[str, str]]:
    """Yield the pages of an empty store."""
    browser = visit(language="de")
    for path in ("/", "/jobs", "/failures", "/schedules", "/queues", "/workers", "/audit"):
        yield path, browser.get(path).text


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let pages show each text of the catalogue in brackets, and each rule in German."""
    monkeypatch.setattr(render, "translations", lambda _: Marked())
    render._environment.cache_clear()
    yield
    render._environment.cache_clear()


@pytest.mark.usefixtures("marked")
def test_every_text_of_an_empty_store_passes_through_the_catalogue(visit: Visit) -> None:
    """No template and no function writes words of its own."""
    pages = empty_pages(visit)
    assert [(path, text) for path, html in pages for text in texts(html) if outside(text)] == []


@pytest.mark.usefixtures("marked")
def test_every_text_of_a_busy_store_passes_through_the_catalogue(visit: Visit, ids: list[Any]) -> None:
    """No template, no function and no rejection writes words of its own."""
    rules = re.compile(r"Um 00:00 Uhr jeden Tag|Zu jeder vollen Stunde|Alle 5 Minuten")
    found = [(path, rules.sub("", text)) for path, html in every_page(visit, ids) for text in texts(html)]
    assert [(path, outside(text), text) for path, text in found if outside(text)] == []


def test_german_pages_have_no_text_of_the_english_catalogue(visit: Visit, ids: list[Any]) -> None:
    """Each text that the catalogue translates is shown in German."""
    with (LOCALE / "de" / "LC_MESSAGES" / "tallystick_dashboard.po").open("rb") as file:
        catalogue = {message.id: message.string for message in read_po(file) if isinstance(message.id, str)}
    english = catalogue.keys() - set(catalogue.values())  # "Filter" is a word of both languages
    for path, html in (*empty_pages(visit), *every_page(visit, ids)):
        assert [(path, text) for text in texts(html) if text in english] == []


def test_each_rejection_has_a_literal_text_of_the_catalogue() -> None:
    """An f-string would never be found in a catalogue."""
    known = translations("de")
    for path in LOCALE.parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            place = {"Rejection": 1, "NotPermitted": 0}.get(call.func.id)
            if place is None or len(call.args) <= place:
                continue
            text = call.args[place]
            assert isinstance(text, ast.Constant), (path, call.lineno)
            assert known.gettext(str(text.value)) != text.value, (path, call.lineno)


def test_a_text_without_translation_is_marked_as_english(visit: Visit, ids: list[Any]) -> None:
    """Screen readers pronounce it so, and the heading says in German what went wrong."""
    page = visit(language="de").get("/schedules/preview?rule=x").text
    assert "Ungültige Regel" in page
    assert '<span lang="en">the rule is' in page


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("0 3 * * *", "Um 03:00 Uhr jeden Tag"),
        ("30 3 * * 1-5", "Um 03:30 Uhr von Montag bis Freitag"),
        ("*/10 9-17 * * *", "Jede 10. Minute von 09:00 bis 17:59 Uhr"),
        ("@hourly", "Zu jeder vollen Stunde"),
        ("0 0 1,15 * *", "Um 00:00 Uhr am 1. und 15. Tag des Monats"),
        ("0 0 LW */2 *", "Um 00:00 Uhr am letzten Werktag jedes 2. Monats"),
        ("0 0 13 * 5", "Um 00:00 Uhr am 13. Tag des Monats und am Freitag"),
        ("0 0 */2 * 1", "Um 00:00 Uhr an jedem 2. Tag des Monats, sofern Montag"),
        ("0 9 24 12 *", "Um 09:00 Uhr am 24. Dezember"),
        ("5,10,15 1,2,3 * * *", "Zu den Minuten 5, 10 und 15 in den Stunden 1, 2 und 3"),
        ("every 5 minutes", "Alle 5 Minuten"),
        ("every day", "Jeden Tag"),
    ],
)
def test_a_rule_in_german(rule: str, words: str) -> None:
    """Cron texts and intervals read as a German would say them."""
    assert german(parse_rule(rule).explain()) == words


def test_every_rule_has_german_words() -> None:
    """Random rules have no phrase that is not known, and no English word is left."""
    random = Random(17)
    english = re.compile(r"\b(at|past|of|every|the|on|and|through|from|month|day|hours?|minutes|if)\b", re.IGNORECASE)
    for _ in range(1_000):
        rule = _random_rule(random)
        try:
            explained = parse_rule(rule).explain()
        except InvalidArgument:  # it never fires, e.g. 31 February
            continue
        words = german(explained)
        assert words is not None, explained
        assert not english.search(words), words


def _random_rule(random: Random) -> str:
    def field(low: int, high: int, *more: str) -> str:
        first, last = sorted(random.randint(low, high) for _ in range(2))
        step = random.randint(2, 5)
        plain = ("*", f"*/{step}", f"{first}", f"{first}-{last}", f"{first},{last}", f"{first}-{last}/{step}")
        return random.choice([*plain, f"{first},{first}-{last}", *more])

    seconds = [field(0, 59)] if random.random() < 0.2 else []
    days = (field(1, 31, "L", "LW", "L,3"), field(1, 12), field(0, 6, "5L", "2#1", "MON-FRI", "2#1,3"))
    return " ".join([*seconds, field(0, 59), field(0, 23), *days])


def test_an_unknown_phrase_leaves_the_rule_in_english() -> None:
    """A new version of cronsim may use other words."""
    assert german("At 03:00 whenever the moon is full") is None

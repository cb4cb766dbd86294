"""Every page is accessible, and fits every width, in light and dark."""

import pytest
from playwright.sync_api import Browser
from tallystick import Runner

from ..application import add, add_attempts, add_schedule, add_worker, complete, discard, report, retry, run
from .conftest import PATIENCE, Serve

LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 375, "height": 812}, "color_scheme": "light", "locale": "de-DE"},
}

WIDER_THAN_ITS_PLACE = """[...document.querySelectorAll(".scroll")]
    .filter((place) => place.scrollWidth > place.clientWidth)
    .map((place) => [place.scrollWidth - place.clientWidth, place.innerText])"""
RUN_AXE = "() => axe.run({resultTypes: ['violations']}).then(found => found.violations)"


@pytest.mark.parametrize("look", list(LOOKS))
def test_every_page(chromium: Browser, serve: Serve, live: Runner, axe: str, look: str) -> None:
    """axe-core has no serious finding, nothing needs sideways scrolling, and the console is silent."""
    base = serve()
    empty = ["/", "/jobs", "/failures", "/schedules", "/queues", "/workers", "/audit"]
    context = chromium.new_context(**LOOKS[look])
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    def check(path: str) -> None:
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.evaluate(WIDER_THAN_ITS_PLACE) == [], path
        page.evaluate(axe)
        serious = [each for each in page.evaluate(RUN_AXE) if each["impact"] in ("serious", "critical")]
        found = [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in serious]
        assert found == [], path

    for path in empty:
        check(path)
    backend = live.backend
    add(backend)
    running = run(backend)
    ids = [
        complete(backend),
        discard(backend, message="no " * 200),
        retry(backend),
        add(backend, tags=("eu",)),
        running,
        report(backend, message="page 40 of 100, " * 30),
        report(backend, None),
    ]
    add_worker(backend, running)
    add_attempts(backend, completed=20, discarded=5)
    add_schedule(live)
    backend.pause("emails")
    more = ["/enqueue", "/enqueue?kind=greet", "/schedules/edit?name=hourly", "/bulk?action=update&state=pending"]
    for path in (*empty, *(f"/jobs/{id}" for id in ids), *more, "/bulk?action=requeue&state=discarded"):
        check(path)
    assert errors == []
    context.close()

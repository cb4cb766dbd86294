"""People at work: each action by mouse and keyboard, on a live store."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from tallystick import BackendError, Context, Queue, Runner, State

from ..application import SCRIPT, add, add_schedule, discard
from .conftest import PATIENCE, Serve

TOKEN = "0123456789abcdef-token"

expect.set_options(timeout=PATIENCE)


def id_of(page: Page) -> UUID:
    return UUID(page.locator("#job-id").inner_text())


def test_a_job_is_enqueued_and_completed_before_the_readers_eyes(page: Page, serve: Serve, live: Runner) -> None:
    """The form enqueues, a live worker runs the job, and its page follows without a reload."""
    base = serve()
    page.goto(f"{base}/enqueue")
    page.get_by_role("link", name="greet").click()
    page.locator("main").get_by_label("Name").fill("Ada")
    page.get_by_role("button", name="Enqueue").click()
    expect(page.get_by_text("The job was enqueued.")).to_be_visible()
    assert "done=" not in page.url
    live.start()
    page.reload()
    expect(page.locator(".timeline .completed")).to_be_visible()
    page.reload()
    expect(page.locator("#result")).to_have_text('"Hello, Ada!"')


def test_bulk_by_filter_and_by_selection(page: Page, serve: Serve, live: Runner) -> None:
    """Retry all that match, then delete two chosen jobs, each with preview and progress."""
    for number in range(12):
        discard(live.backend, "ValueError" if number < 9 else "KeyError")
    base = serve()
    page.goto(f"{base}/jobs?state=discarded&error_type=ValueError")
    page.get_by_role("link", name="Retry all…").click()
    page.get_by_role("button", name="Retry 9 jobs").click()
    expect(page.get_by_text("9 of about 9 jobs changed.")).to_be_visible()
    expect(page.get_by_role("heading", name="Retry: done")).to_be_visible()
    assert live.backend.stats().by_state[State.PENDING] == 9
    page.goto(f"{base}/jobs?state=discarded")
    boxes = page.locator("tbody input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.locator(".for-chosen").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 2 jobs").click()
    expect(page.get_by_role("heading", name="Delete: done")).to_be_visible()
    assert live.backend.stats().by_state[State.DISCARDED] == 1


def test_a_group_of_failures_is_retried(page: Page, serve: Serve, live: Runner) -> None:
    """From the page of failures in two clicks."""
    discard(live.backend, "ValueError", SCRIPT)
    page.goto(f"{serve()}/failures")
    expect(page.get_by_text(SCRIPT)).to_be_visible()
    page.get_by_role("link", name="Retry", exact=True).click()
    page.get_by_role("button", name="Retry 1 job").click()
    expect(page.get_by_role("heading", name="Retry: done")).to_be_visible()


def test_one_job_is_changed_cancelled_copied_and_deleted(page: Page, serve: Serve, live: Runner) -> None:
    """The buttons of one job; deleting asks first, and can be refused."""
    id = add(live.backend, run_at=timedelta(hours=1))
    base = serve()
    page.goto(f"{base}/jobs/{id}")
    page.get_by_text("Change priority, queue or due time").click()
    page.locator("main").get_by_label("priority").fill("7")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("The job was changed.")).to_be_visible()
    assert live.get(id).priority == 7
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The job was cancelled")).to_be_visible()
    page.get_by_text("Run again with another payload").click()
    page.locator("main").get_by_label("Payload (JSON)").fill('{"name": "Bob"}')
    page.get_by_role("button", name="Run as a new job").click()
    expect(page.get_by_text("This job repeats an earlier one:")).to_be_visible()
    assert live.get(id_of(page)).payload == b'{"name":"Bob"}'
    page.goto(f"{base}/jobs/{id}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    assert live.get(id).state is State.CANCELLED
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("The job was deleted.")).to_be_visible()


def test_a_payload_is_copied(page: Page, serve: Serve, live: Runner) -> None:
    """The button puts the text into the clipboard, and says so."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    id = add(live.backend)
    page.goto(f"{serve()}/jobs/{id}")
    page.locator("[data-copy=payload]").click()
    expect(page.locator("[data-copy=payload]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#payload").inner_text() == '{\n  "name": "Ada"\n}'
    expect(page.locator("[data-copy=payload]")).to_have_text("Copy")


def test_an_id_is_copied_without_https(page: Page, serve: Serve, live: Runner) -> None:
    """Browsers give a page without HTTPS no clipboard, except on the machine itself."""
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    id = add(live.backend)
    page.goto(f"{serve()}/jobs/{id}")
    page.locator("[data-copy=job-id]").click()
    expect(page.locator("[data-copy=job-id]")).to_have_text("Copied")
    page.locator("#search").focus()
    page.keyboard.press("Control+V")
    expect(page.locator("#search")).to_have_value(str(id))


def test_a_queue_is_paused_and_the_page_follows_the_store(page: Page, serve: Serve, live: Runner) -> None:
    """The overview pauses a queue; a change by someone else appears without a reload."""
    add(live.backend)
    page.goto(f"{serve()}/")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("tbody .state.paused")).to_be_visible()
    page.mouse.move(0, 0)
    live.backend.resume("emails")
    expect(page.locator("tbody .state.paused")).to_have_count(0)


def test_nothing_moves_under_the_pointer(page: Page, serve: Serve, live: Runner) -> None:
    """A table at which the reader points is not refreshed until the pointer leaves it."""
    add(live.backend)
    page.goto(f"{serve()}/jobs")
    page.locator("tbody tr").first.hover()
    add(live.backend)
    page.evaluate(TWO_REFRESHES)
    assert page.locator("tbody tr").count() == 1
    page.mouse.move(0, 0)
    expect(page.locator("tbody tr")).to_have_count(2)


TWO_REFRESHES = """
new Promise((done) => {
  let tries = 0;
  document.addEventListener("htmx:before:request", () => { tries += 1; if (tries === 2) done(); });
})
"""
"""Waits until htmx has tried twice to refresh the page."""


def test_a_refresh_that_fails_leaves_the_page_and_says_so(
    page: Page, serve: Serve, live: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers stay while the store is down, and the warning goes when it is back."""

    def fail() -> list[Queue]:
        raise BackendError("the store is down")

    add(live.backend)
    page.goto(f"{serve()}/")
    page.mouse.move(0, 0)
    with monkeypatch.context() as patch:
        patch.setattr(live.backend, "queues", fail)
        expect(page.get_by_text("The last refresh failed")).to_be_visible()
        expect(page.get_by_role("link", name="emails")).to_be_visible()
    expect(page.get_by_text("The last refresh failed")).to_be_hidden()


def test_a_page_is_refreshed_once_in_an_interval(page: Page, serve: Serve, live: Runner) -> None:
    """Each live region asks the server at the interval of the settings, and not more often."""
    discard(live.backend)
    base = serve(interval=5)
    page.add_init_script(RECORD_INTERVALS)
    for path in ("/", "/jobs", "/failures", "/schedules", "/queues", "/workers", f"/jobs/{add(live.backend)}"):
        page.goto(base + path)
        assert page.evaluate("intervals") == [5_000], path


RECORD_INTERVALS = """
window.intervals = [];
const begin = window.setInterval;
window.setInterval = (call, wait, ...rest) => { intervals.push(wait); return begin(call, wait, ...rest); };
"""


def test_a_schedule_is_written_with_a_preview(page: Page, serve: Serve, live: Runner) -> None:
    """The rule is explained while it is typed; then the schedule is paused, run and removed."""
    base = serve()
    page.goto(f"{base}/schedules/edit")
    page.locator("main").get_by_label("name").fill("nightly")
    page.locator("main").get_by_label("rule").fill("nonsense")
    expect(page.locator("#rule-preview .bad-text")).to_be_visible()
    page.locator("main").get_by_label("rule").fill("0 3 * * 1-5")
    expect(page.get_by_text("At 03:00 on Monday through Friday")).to_be_visible()
    page.locator("main").get_by_label("kind").fill("greet")
    page.locator("main").get_by_label("payload (JSON)").fill('{"name": "Ada"}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The schedule was stored.")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("The schedule is paused.")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("This is the job of the schedule.")).to_be_visible()
    page.goto(f"{base}/schedules")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("No schedules.")).to_be_visible()
    assert live.schedules() == []


def test_the_keyboard_alone(page: Page, serve: Serve, live: Runner) -> None:
    """Help, search, moving, selecting and opening rows, and going to a page."""
    ids = [discard(live.backend) for _ in range(3)]
    page.goto(f"{serve()}/jobs")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.evaluate("document.querySelector('.at-cursor').classList.remove('at-cursor')")  # as a refresh does
    page.keyboard.press("Enter")
    assert id_of(page) == sorted(ids)[1]
    page.keyboard.press("/")
    page.keyboard.type(str(ids[0]))
    page.keyboard.press("Enter")
    expect(page.locator("#job-id")).to_have_text(str(ids[0]))
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.get_by_role("heading", name="Failures")).to_be_visible()


def test_times_are_those_of_the_reader(page: Page, serve: Serve, live: Runner) -> None:
    """The zone of the browser, with UTC on hover."""
    add_schedule(live, rule="30 11 * * *")
    page.goto(f"{serve()}/schedules")
    tick = page.locator("time[data-local]").first
    expect(tick).to_contain_text(":30")
    assert "11:30:00 UTC" in str(tick.get_attribute("title"))
    assert "11:30" not in tick.inner_text()


def test_login_and_read_only(page: Page, serve: Serve, live: Runner) -> None:
    """A token opens the dashboard. A read-only one has no buttons that change anything."""
    discard(live.backend)
    base = serve(token=TOKEN, read_only=True)
    page.goto(f"{base}/login")
    page.locator("main").get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("read-only")).to_be_visible()
    for path in ("/jobs", "/failures", "/queues", "/schedules"):
        page.goto(base + path)
        assert page.locator("form[method=post]:not([action='/logout'])").count() == 0
        assert page.get_by_role("link", name="Retry all").count() == 0
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("main").get_by_label("Token")).to_be_visible()


@pytest.mark.parametrize("action", ["requeue", "delete"])
def test_a_form_on_another_site_is_rejected(page: Page, serve: Serve, live: Runner, action: str) -> None:
    """A real browser sends Sec-Fetch-Site with a forged form, and the dashboard rejects it."""
    id = discard(live.backend)
    target = f"{serve()}/jobs/{id}/{action}"
    page.route("http://attacker.example/", lambda route: route.fulfill(
        content_type="text/html", body=f'<form method="post" action="{target}"><button>win</button></form>'
    ))  # fmt: skip
    page.goto("http://attacker.example/")
    with page.expect_response(target) as answer:
        page.get_by_role("button", name="win").click()
    assert answer.value.status == 403
    assert live.get(id).state is State.DISCARDED


def test_html_of_a_payload_does_not_act(page: Page, serve: Serve, live: Runner) -> None:
    """Elements of htmx and scripts in stored text stay text, also after a refresh of the page."""
    evil = '<img src=x onerror="document.title=1"><button hx-get="/jobs" hx-trigger="load">x</button>'
    discard(live.backend, "ValueError", evil)
    add(live.backend, kind=evil.replace("\n", "")[:200], queue="<b>q</b>")
    base = serve()
    for path in ("/", "/jobs", "/failures", "/queues"):
        page.goto(base + path)
        with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
            page.mouse.move(0, 0)
        assert page.locator("main img, main [hx-trigger=load]").count() == 0
        assert "Tallystick" in page.title()


def test_a_running_job_is_asked_to_stop(page: Page, serve: Serve, live: Runner) -> None:
    """The page of a waiting job shows that it began. The handler notices the request, and the page shows the end."""

    @live.job("patient", queue="emails")
    def patient(payload: None, ctx: Context) -> None:
        while True:
            ctx.check()
            threading.Event().wait(0.02)

    with ThreadPoolExecutor(1) as another:  # the browser has an event loop in this thread
        handle = another.submit(live.enqueue, patient.job(None)).result()
    page.goto(f"{serve()}/jobs/{handle.id}")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    live.start()
    page.get_by_role("button", name="Ask to stop").click()
    expect(page.locator(".timeline .cancelled")).to_be_visible()

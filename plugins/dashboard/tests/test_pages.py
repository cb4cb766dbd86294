"""The pages: each is whole in every state of the store, and each form does its action."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient
from tallystick import NewRecord, Runner, State
from tallystick_dashboard.pages import jobs

from .application import FIRST, add, add_attempts, add_schedule, add_worker, complete, discard, report, retry, run
from .conftest import BROWSER, Visit

STORES = ("memory",)  # the calls are those of the API

PAGES = ["/", "/jobs", "/failures", "/schedules", "/schedules/edit", "/queues", "/workers", "/enqueue", "/audit"]


def send(browser: TestClient, path: str, **fields: Any) -> Response:
    answer = browser.post(path, data=fields)
    assert answer.status_code == 303, answer.text
    return answer  # type: ignore[return-value]  # of httpx2


def text_of(html: str) -> str:
    """Return the text of a page, without tags and with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_page_of_an_empty_store(visit: Visit, language: str) -> None:
    """An empty page says what to do."""
    browser = visit(language=language)
    for path in PAGES:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert f'<html lang="{language}">' in answer.text, path


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_page_of_a_busy_store(visit: Visit, runner: Runner, language: str) -> None:
    """Every page and every state of a job is rendered."""
    browser = visit(language=language, name="staging", colour="#aa3300")
    add(runner.backend)
    running = run(runner.backend)
    ids = [complete(runner.backend), discard(runner.backend), retry(runner.backend), add(runner.backend), running]
    add_worker(runner.backend, running)
    add_schedule(runner)
    add_attempts(runner.backend, completed=5, discarded=5)
    runner.backend.pause("emails")
    assert all(browser.get(path).status_code == 200 for path in PAGES)
    for id in ids:
        assert browser.get(f"/jobs/{id}").status_code == 200
    assert "--instance: #aa3300" in browser.get("/").text
    for path in (
        "/enqueue?kind=greet",
        "/enqueue?kind=raw",
        "/schedules/edit?name=hourly",
        "/bulk?action=update&kind=greet",
    ):
        assert browser.get(path).status_code == 200


def test_the_first_line_says_that_all_is_well(browser: TestClient, runner: Runner) -> None:
    """One sentence before any number."""
    assert "No jobs yet." in browser.get("/").text
    complete(runner.backend)
    add_worker(runner.backend)
    assert "All is well: 1 worker active, 0 jobs running." in text_of(browser.get("/").text)


def test_the_first_line_names_the_problem(browser: TestClient, runner: Runner) -> None:
    """A queue without a worker comes first, then a lost worker, then failures."""
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    add(runner.backend, run_at=hour_ago)
    assert "No worker serves the queue emails: 1 job due, the oldest since 1 h." in text_of(browser.get("/").text)
    add_worker(runner.backend)
    assert "The queue emails is late: 1 job due, the oldest since 1 h." in text_of(browser.get("/").text)
    run(runner.backend)
    add_attempts(runner.backend, completed=10, discarded=10)
    assert "The queue emails fails more than usual: 50 % of attempts" in text_of(browser.get("/").text)
    add_worker(runner.backend, now=hour_ago)
    text = text_of(browser.get("/").text)
    assert "The worker w1 is gone: last seen 1 h ago, with 0 jobs running. (1 more problem)" in text


def test_the_overview_shows_queues_workers_and_schedules(browser: TestClient, runner: Runner) -> None:
    """Depth, running, oldest due age, throughput and error rate; host, pid and since when; last and next tick."""
    add(runner.backend, run_at=datetime.now(UTC) - timedelta(minutes=7))
    add(runner.backend, **FIRST)
    add_worker(runner.backend, run(runner.backend), now=datetime.now(UTC) - timedelta(hours=3))
    add_worker(runner.backend, now=datetime.now(UTC))
    add_attempts(runner.backend, completed=15, discarded=5, ago=timedelta(minutes=2))
    add_schedule(runner, rule="0 0 1 1 *")
    text = text_of(browser.get("/").text)
    assert re.search(r"emails 1 1 1 7 min 20 25 % 1\.0 s 1\.0 s Pause", text), text
    assert "host-1 42 active 0/10" in text
    assert re.search(r"hourly . in \d+ d", text), text


def test_a_paused_queue_is_mentioned_but_no_alarm(browser: TestClient, runner: Runner) -> None:
    """A user paused it on purpose."""
    add(runner.backend)
    runner.backend.pause("emails")
    add_worker(runner.backend)
    text = text_of(browser.get("/").text)
    assert "All is well" in text
    assert "The queue emails is paused: 1 job due." in text


def test_the_list_of_jobs_has_pages_of_fifty(browser: TestClient, runner: Runner) -> None:
    """A link leads to the next page, with the filter."""
    for _ in range(51):
        add(runner.backend)
    first = browser.get("/jobs?queue=emails").text
    assert first.count('name="id"') == 50
    [link] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = browser.get(unescape(link)).text
    assert second.count('name="id"') == 1
    assert "First page" in second


def test_counts_of_states_are_capped(browser: TestClient, runner: Runner) -> None:
    """Counts stop at 1,000, and pages say so. A page that shows all matching jobs counts them itself."""
    runner.backend.insert([NewRecord(kind="greet", payload=b"{}", queue="emails") for _ in range(1_001)])
    discard(runner.backend)
    assert "<b>1,000+</b>" in browser.get("/jobs?kind=greet").text
    assert "1,000+" in text_of(browser.get("/").text)
    discarded = browser.get("/jobs?error_type=ValueError").text
    assert "<b>1</b>" in discarded
    assert "1,000" not in discarded


def test_a_slow_search_names_the_optional_indexes(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says how to make it fast, but only for fields that have such an index."""
    assert "?search=true" not in browser.get("/jobs?kind=greet").text
    monkeypatch.setattr(jobs, "SLOW", -1.0)
    for option in ("kind=greet", "queue=emails", "worker=w1"):
        assert "open the store with ?search=true" in browser.get(f"/jobs?{option}").text
    assert "?search=true" not in browser.get("/jobs?state=discarded").text


def test_unknown_options_of_a_page_are_ignored_and_invalid_ones_explained(browser: TestClient) -> None:
    """A link with a tracking parameter works; a broken value is a page with the reason."""
    assert browser.get("/jobs?utm_source=mail&queue=").status_code == 200
    answer = browser.get("/jobs?state=broken")
    assert answer.status_code == 422
    assert "state" in answer.text


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("queue:emails", "/jobs?queue=emails"),
        ("tag:tenant:7", "/jobs?tag=tenant%3A7"),
        ("state:discarded", "/jobs?state=discarded"),
        ("greet", "/jobs?kind=greet"),
        ("emails", "/jobs?queue=emails"),
        ("", "/jobs"),
    ],
)
def test_search(browser: TestClient, runner: Runner, text: str, target: str) -> None:
    """The box finds a job by id, and jobs by a word."""
    add(runner.backend)
    assert browser.get("/search", params={"q": text}).headers["location"] == target
    id = uuid4()
    assert browser.get("/search", params={"q": f" {id} "}).headers["location"] == f"/jobs/{id}"


def test_the_life_of_a_job_is_told_in_order(browser: TestClient, runner: Runner) -> None:
    """Created, began, failed, and due again; the latest error is open."""
    id = retry(runner.backend)
    page = browser.get(f"/jobs/{id}").text
    assert page.count('<details class="failure" open>') == 1
    text = text_of(page)
    places = [text.index(part) for part in ("created", "attempt 1 began", "attempt 1 failed", "attempt 2 is due")]
    assert places == sorted(places)
    assert "ValueError try again" in text


@pytest.mark.parametrize(("language", "text"), [("en", "Progress 40 %"), ("de", "Fortschritt 40 %")])
def test_the_progress_of_a_running_job_is_shown(visit: Visit, runner: Runner, language: str, text: str) -> None:
    """A labelled bar with its percentage and its message, in the part of the page that is refreshed."""
    page = visit(language=language).get(f"/jobs/{report(runner.backend, 0.4, '<b>40</b> of 100')}").text
    live = page[page.index("data-live") :]
    assert '<progress max="100" value="40" aria-labelledby="progress-label">' in live
    assert "&lt;b&gt;40&lt;/b&gt; of 100" in live
    assert text in text_of(live)


def test_a_progress_without_a_fraction_has_no_bar(browser: TestClient, runner: Runner) -> None:
    """Only its message is shown. A job without progress shows neither."""
    page = browser.get(f"/jobs/{report(runner.backend, None, 'half an hour')}").text
    assert ("<progress" in page, "half an hour" in page) == (False, True)
    assert 'class="progress"' not in browser.get(f"/jobs/{complete(runner.backend)}").text


def test_a_missing_job_is_a_page(browser: TestClient) -> None:
    """404 with words."""
    answer = browser.get(f"/jobs/{uuid4()}")
    assert answer.status_code == 404
    assert "was not found" in answer.text
    assert browser.get("/jobs/x").status_code == 404
    assert browser.get("/nothing").status_code == 404
    assert browser.get("/bulk/x").status_code == 404


def test_actions_on_a_job_lead_back_to_it(browser: TestClient, runner: Runner) -> None:
    """Each button of the page does its action, and the next page says so."""
    id = discard(runner.backend)
    sent = send(browser, f"/jobs/{id}/requeue")
    assert sent.headers["location"] == f"/jobs/{id}?done=requeue"
    assert "The job runs again now." in browser.get(sent.headers["location"]).text
    assert send(browser, f"/jobs/{id}/requeue").headers["location"].endswith("done=not_requeue")
    send(browser, f"/jobs/{id}/update", priority="5", queue="", run_at="1h")
    assert (runner.get(id).priority, runner.get(id).queue) == (5, "emails")
    send(browser, f"/jobs/{id}/cancel")
    assert runner.get(id).state is State.CANCELLED
    copy = send(browser, f"/jobs/{id}/rerun").headers["location"]
    assert "This job repeats an earlier one" in browser.get(copy).text
    other = send(browser, f"/jobs/{id}/rerun", payload='{"name": "Bob"}').headers["location"]
    assert "Bob" in browser.get(other).text
    assert send(browser, f"/jobs/{id}/delete").headers["location"] == "/jobs?done=delete"
    assert browser.post(f"/jobs/{id}/explode").status_code == 404
    assert browser.post(f"/jobs/{UUID(int=1)}/rerun", data={"payload": "{"}).status_code == 422


def test_a_job_of_the_future_runs_now(browser: TestClient, runner: Runner) -> None:
    """One button makes it due. A job that is due already, or has failed, has no such button."""
    id = add(runner.backend, run_at=timedelta(hours=1))
    assert "Run now" in text_of(browser.get(f"/jobs/{id}").text)
    send(browser, f"/jobs/{id}/update", run_at="now")
    assert runner.get(id).run_at <= datetime.now(UTC)
    assert "Run now" not in text_of(browser.get(f"/jobs/{id}").text)
    assert "Run now" not in text_of(browser.get(f"/jobs/{retry(runner.backend)}").text)


def test_bulk_by_filter_from_preview_to_progress(browser: TestClient, runner: Runner) -> None:
    """The preview counts, its form starts the action, and the progress page shows the end."""
    for _ in range(3):
        discard(runner.backend)
    page = browser.get("/bulk?action=requeue&state=discarded").text
    assert "Retry 3 jobs?" in text_of(page)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    assert fields["created_until"]
    started = send(browser, "/bulk", **{name: unescape(value) for name, value in fields.items()})
    progress = text_of(browser.get(started.headers["location"]).text)
    while "Retry: running" in progress:  # the timeout of the test run ends it
        progress = text_of(browser.get(started.headers["location"]).text)
    assert "Retry: done" in progress
    assert "3 of about 3 jobs changed." in progress
    assert runner.backend.stats().by_state[State.PENDING] == 3


def test_bulk_by_selection(browser: TestClient, runner: Runner) -> None:
    """The ids of the selection go through the same preview."""
    ids = [discard(runner.backend) for _ in range(3)][:2]
    page = browser.get("/bulk", params={"action": "delete", "id": list(map(str, ids))}).text
    assert "Delete 2 jobs?" in text_of(page)
    assert "Nothing to change." in browser.get(f"/bulk?action=cancel&id={ids[0]}").text


def test_bulk_changes_of_values(browser: TestClient, runner: Runner) -> None:
    """First the page asks for the new values, then it shows the preview."""
    add(runner.backend)
    assert "Change which values?" in browser.get("/bulk?action=update&queue=emails").text
    page = browser.get("/bulk?action=update&queue=emails&new_priority=4").text
    assert "Change 1 job?" in text_of(page)
    assert 'name="new_priority" value="4"' in page


def test_queues_from_their_page_and_from_the_overview(browser: TestClient, runner: Runner) -> None:
    """Pause and resume lead back to the page of the button."""
    add(runner.backend)
    assert send(browser, "/queues/pause", name="emails", back="overview").headers["location"] == "/?done=pause_queue"
    assert runner.backend.queues()[0].paused
    assert send(browser, "/queues/resume", name="emails").headers["location"] == "/queues?done=resume_queue"
    assert browser.post("/queues/explode", data={"name": "emails"}).status_code == 404


def test_schedules_by_form(browser: TestClient, runner: Runner) -> None:
    """Add, edit, pause, run and remove. An invalid form is shown again with its values and the reason."""
    values = {"name": "nightly", "rule": "0 3 * * *", "kind": "greet", "payload": '{"name": "Ada"}', "zone": "UTC"}
    more = {"queue": "emails", "priority": "1", "max_attempts": "3", "missed": "skip"}
    send(browser, "/schedules/save", **values, **more)
    assert "At 03:00 every day" in browser.get("/schedules").text
    wrong = browser.post("/schedules/save", data={**values, "rule": "nonsense", "is_new": "1"})
    assert wrong.status_code == 422
    assert 'value="nonsense"' in wrong.text
    assert "is not a cron text" in unescape(wrong.text)
    assert browser.post("/schedules/save", data={**values, "payload": "{"}).status_code == 422
    send(browser, "/schedules/pause", name="nightly")
    assert runner.schedules()[0].paused
    send(browser, "/schedules/resume", name="nightly")
    assert "/jobs/" in send(browser, "/schedules/run", name="nightly").headers["location"]
    send(browser, "/schedules/remove", name="nightly")
    assert browser.post("/schedules/run", data={"name": "nightly"}).status_code == 404
    assert browser.post("/schedules/explode", data={"name": "nightly"}).status_code == 404


def test_a_rule_is_explained_while_it_is_typed(browser: TestClient) -> None:
    """Words and five ticks, or the reason why it is not a rule."""
    assert browser.get("/schedules/preview?rule=@daily").text.count("<li>") == 5
    assert "is not a cron text" in unescape(browser.get("/schedules/preview?rule=x").text)
    assert browser.get("/schedules/preview").text.strip() == ""


def test_the_form_of_a_kind_follows_its_type(browser: TestClient, runner: Runner) -> None:
    """Each field of the payload has an input; an invalid payload is shown again with the reason."""
    page = browser.get("/enqueue?kind=greet").text
    for name, kind in (("times", 'type="number"'), ("size", "<select"), ("loud", "<select"), ("more", "<textarea")):
        assert re.search(rf'{kind}[^>]*name="field.{name}"|name="field.{name}"[^>]*{kind}', page), name
    assert 'type="password"' in browser.get("/enqueue?kind=log_in").text
    fields = {"kind": "greet", "field.name": "Ada", "field.times": "3", "field.size": '"large"', "tags": "a, b"}
    sent = send(browser, "/enqueue", **fields, priority="2")
    record = runner.get(UUID(sent.headers["location"].split("/")[2].partition("?")[0]))
    assert record.payload.startswith(b'{"name":"Ada","times":3,"loud":false,"size":"large"')
    assert (record.tags, record.priority, record.queue) == (("a", "b"), 2, "emails")
    wrong = browser.post("/enqueue", data={**fields, "field.times": "many"})
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.text
    raw = send(browser, "/enqueue", kind="raw", payload="[1]")
    assert "done=enqueue" in raw.headers["location"]


def test_a_form_must_be_urlencoded_and_readable(browser: TestClient) -> None:
    """Anything else is rejected with the reason."""
    multipart = {"content-type": "multipart/form-data; boundary=x"}
    assert browser.post("/queues/pause", content=b"--x", headers=multipart).status_code == 415
    urlencoded = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/queues/pause", content=b"name=\xff", headers=urlencoded).status_code == 400
    assert browser.post("/queues/pause", content=b"a=1&" * 3_000, headers=urlencoded).status_code == 400


def test_the_language_follows_the_browser(browser: TestClient) -> None:
    """The reader's preference decides, unless the settings do."""
    german = browser.get("/", headers={"accept-language": "fr, de-AT;q=0.8, en;q=0.5"}).text
    assert '<html lang="de">' in german
    assert "Überblick" in german
    assert '<html lang="en">' in browser.get("/", headers={"accept-language": "fr"}).text


def test_a_store_that_is_not_set_up_is_a_page(visit: Visit, tmp_path: Any) -> None:
    """503 with advice, and 503 at /healthz."""
    from tallystick_dashboard import dashboard  # noqa: PLC0415

    app = dashboard(f"sqlite:///{tmp_path}/missing.db", allowed_hosts=("testserver",))
    with TestClient(app, client=("127.0.0.1", 1), headers=BROWSER) as client:
        answer = client.get("/")
        assert answer.status_code == 503
        assert "tallystick doctor" in answer.text
        assert client.get("/healthz").status_code == 503
        assert client.get("/api/queues").json()["error"]["status"] == 503


def test_below_a_mount_every_link_stays_below(runner: Runner) -> None:
    """Links, forms, redirects and scripts have the prefix of the mount."""
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.routing import Mount  # noqa: PLC0415
    from tallystick_dashboard import dashboard  # noqa: PLC0415

    inner = dashboard(runner, allowed_hosts=("testserver",), interval=0)
    client = TestClient(Starlette(routes=[Mount("/ops", inner)]), client=("127.0.0.1", 1), headers=BROWSER)
    id = discard(runner.backend)
    for path in ("/ops/", "/ops/jobs", f"/ops/jobs/{id}", "/ops/schedules/edit"):
        answer = client.get(path)
        assert answer.status_code == 200
        links = re.findall(r'(?:href|src|action|hx-get)="(/[^"]*)"', answer.text)
        assert links
        assert all(link.startswith("/ops/") for link in links)
    sent = client.post(f"/ops/jobs/{id}/requeue", follow_redirects=False)
    assert sent.headers["location"] == f"/ops/jobs/{id}?done=requeue"
    assert client.get("/ops/api/openapi.json").json()["servers"] == [{"url": "/ops"}]

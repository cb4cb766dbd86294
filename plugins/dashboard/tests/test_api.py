"""The JSON API: every read and every action, on memory and on SQLite."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient
from tallystick import Context, NewRecord, NewSchedule, Runner, State, UniqueUntil

from .application import (
    SCRIPT,
    add,
    add_attempts,
    add_schedule,
    add_worker,
    complete,
    discard,
    report,
    retry,
    run,
)
from .conftest import PROGRAM, Visit


def get(program: TestClient, path: str, **params: Any) -> Any:
    answer = program.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(program: TestClient, path: str, status: int = 200, **body: Any) -> Any:
    answer = program.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_schedule_by_hand_derives_the_unique_key_of_its_kind(program: TestClient, runner: Runner) -> None:
    """The key follows an edited payload. Another key stays, as does a schedule whose ticks may overlap."""

    @runner.job("sync", unique_by=("region",))
    def sync(payload: dict[str, str], ctx: Context) -> None: ...

    def saved(name: str, region: str) -> str | None:
        form = {"name": name, "rule": "@daily", "kind": "sync", "payload": {"region": region}}
        answer = program.post("/api/schedules", json=form)
        key: str | None = answer.json()["unique_key"]
        return key

    def enqueued(region: str) -> str | None:
        return runner.get(runner.enqueue(sync.job({"region": region}))).unique_key

    assert saved("mine", "eu") == enqueued("eu")
    assert saved("mine", "us") == enqueued("us")
    runner.put_schedule("@daily", sync.job({"region": "eu"}), name="overlapping", overlap=True)
    assert saved("overlapping", "us") is None
    own = NewSchedule(name="own", rule="@daily", kind="sync", payload=b"{}", unique_key="mine")
    runner.put_schedule(own)
    assert saved("own", "us") == "mine"


def test_the_status_has_runner_definitions_counts_and_recent_jobs(program: TestClient, runner: Runner) -> None:
    """`GET /jobs` is the control plane's first document."""
    first, second = add(runner.backend), discard(runner.backend)
    status = get(program, "/jobs")
    assert status["runner"]["running"] is False
    assert [each["kind"] for each in status["definitions"]] == ["greet", "log_in", "raw"]
    greet = status["definitions"][0]
    assert (greet["queue"], greet["max_attempts"], greet["raw"]) == ("emails", 5, False)
    assert greet["type"].endswith("Greet.work")
    assert greet["payload_schema"]["required"] == ["name"]
    assert status["by_state"]["discarded"] == {"count": 1, "complete": True}
    assert {job["id"] for job in status["recent"]} == {str(first), str(second)}


def test_browsers_get_a_page_and_programs_the_status_at_one_url(browser: TestClient) -> None:
    """`/jobs` is the page for a browser."""
    assert "<h1>Jobs</h1>" in browser.get("/jobs").text
    assert browser.get("/jobs", headers={"accept": "*/*"}).json()["recent"] == []
    assert "Accept" in browser.get("/jobs").headers["vary"]


def test_pages_of_jobs_follow_each_other_in_every_order(program: TestClient, runner: Runner) -> None:
    """`next` leads through all jobs once, whatever the order."""
    ids = {str(complete(runner.backend)) for _ in range(5)}
    waiting = {str(retry(runner.backend)) for _ in range(3)}
    for order, expected in (("id", ids | waiting), ("finished_at", ids), ("run_at", waiting)):
        found: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = get(program, "/api/jobs", order=order, limit=2, **after)
            found += [job["id"] for job in page["jobs"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert len(found) == len(set(found))
        assert set(found) == expected


def test_jobs_are_filtered(program: TestClient, runner: Runner) -> None:
    """Each option selects; different options must all match; a repeated option has alternatives."""
    old, tagged = discard(runner.backend), add(runner.backend, tags=("a", "b"), unique_key="k")
    other = add(runner.backend, kind="other", queue="slow")

    def found(**params: Any) -> set[str]:
        return {job["id"] for job in get(program, "/api/jobs", **params)["jobs"]}

    assert found(state="discarded") == {str(old)}
    assert found(state=["discarded", "pending"], queue="emails") == {str(old), str(tagged)}
    assert found(kind="other") == found(queue="slow") == {str(other)}
    assert found(tag=["b", "c"]) == found(unique_key="k") == {str(tagged)}
    assert found(error_type="ValueError") == found(worker="w1") == found(finished_since="1h") == {str(old)}
    assert found(id=str(other)) == {str(other)}
    assert found(created_until="1h") == set()
    assert get(program, "/api/jobs/count", state="pending") == {"count": 2, "complete": True}
    assert get(program, "/api/jobs/count", at_most=1) == {"count": 1, "complete": False}


@pytest.mark.parametrize(
    "query",
    [
        "state=broken",
        "unknown=1",
        "limit=0",
        "limit=x",
        "after=x",
        "after=2026-01-01T00:00:00~x",
        "created_since=yesterday",
        "created_since=999999d",
        "order=kind",
        "kind=",
        "kind=%00",
        "limit=1&limit=2",
        "created_since=1h&created_until=2h",
        "id=1",
        "after=00000000-0000-0000-0000-000000000000&order=run_at",
    ],
)
def test_an_invalid_query_is_explained(program: TestClient, query: str) -> None:
    """The answer is 422 with the reason, never 500."""
    answer = program.get(f"/api/jobs?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_one_job(program: TestClient, runner: Runner) -> None:
    """Everything that is stored about a job, with its errors."""
    id = discard(runner.backend, "ValueError", "no luck", meta={"trace": "1"}, tags=("a",))
    job = get(program, f"/api/jobs/{id}")
    assert (job["state"], job["attempt"], job["payload"], job["meta"]) == (
        "discarded",
        1,
        {"name": "Ada"},
        {"trace": "1"},
    )
    assert [(error["attempt"], error["type"], error["message"]) for error in job["errors"]] == [
        (1, "ValueError", "no luck")
    ]
    assert get(program, f"/api/jobs/{complete(runner.backend)}")["result"] == "Hello"


def test_the_progress_of_a_job(program: TestClient, runner: Runner) -> None:
    """The latest report, and null for a job without one."""
    progress = get(program, f"/api/jobs/{report(runner.backend, 0.999)}")["progress"]
    assert datetime.fromisoformat(progress.pop("at")).tzinfo is not None
    assert progress == {"fraction": 0.999, "percent": 99, "message": "page 40 of 100"}
    assert get(program, f"/api/jobs/{complete(runner.backend)}")["progress"] is None


@pytest.mark.parametrize("id", [uuid4(), "x", "00000000-0000-0000-0000-00000000000"])
def test_a_missing_job_is_not_found(program: TestClient, id: object) -> None:
    """An id that is not stored, and text that is no id."""
    assert program.get(f"/api/jobs/{id}").status_code == 404
    assert program.post(f"/api/jobs/{id}/requeue").status_code == 404


def test_bytes_that_are_no_json_are_base64(program: TestClient, runner: Runner) -> None:
    """A raw payload is shown, whatever it contains; so is JSON with a lone surrogate."""
    raw = add(runner.backend, kind="raw", payload=b"\xff\x00")
    odd = add(runner.backend, payload=b'{"name": "\\ud800"}')
    assert get(program, f"/api/jobs/{raw}")["payload"] == {"base64": "/wA="}
    assert get(program, f"/api/jobs/{odd}")["payload"] == {"name": "\ud800"}
    nan = add(runner.backend, payload=b"[NaN]")
    assert "base64" in get(program, f"/api/jobs/{nan}")["payload"]


def test_actions_on_one_job(program: TestClient, runner: Runner) -> None:
    """Requeue, cancel, delete and update change a job in the right state, and report what changed."""
    dead, waiting = discard(runner.backend), add(runner.backend, queue="other")
    assert post(program, f"/api/jobs/{dead}/requeue") == {"changed": [str(dead)]}
    assert post(program, f"/api/jobs/{dead}/requeue") == {"changed": []}
    changes: dict[str, Any] = {"priority": 7, "queue": "fast", "run_at": "2h"}
    assert post(program, f"/api/jobs/{waiting}/update", **changes) == {"changed": [str(waiting)]}
    record = runner.get(waiting)
    assert (record.priority, record.queue) == (7, "fast")
    assert record.run_at > datetime.now(UTC) + timedelta(hours=1)
    post(program, f"/api/jobs/{waiting}/update", run_at="now")
    assert runner.get(waiting).run_at <= datetime.now(UTC)
    post(program, f"/api/jobs/{waiting}/update", 422)
    post(program, f"/api/jobs/{waiting}/update", 422, run_at="soon")
    assert post(program, f"/api/jobs/{waiting}/cancel") == {"changed": [str(waiting)]}
    assert post(program, f"/api/jobs/{waiting}/delete") == {"changed": [str(waiting)]}
    assert program.get(f"/api/jobs/{waiting}").status_code == 404
    run(runner.backend)
    assert post(program, f"/api/jobs/{dead}/cancel") == {"changed": [str(dead)]}
    assert runner.get(dead).cancel_requested
    assert post(program, f"/api/jobs/{dead}/delete") == {"changed": []}


def test_a_job_runs_again_as_a_new_job(program: TestClient, runner: Runner) -> None:
    """The new job links to the earlier one, which stays; another payload is validated."""
    id = discard(runner.backend, tags=("a",), priority=3, unique_key="k")
    same = post(program, f"/api/jobs/{id}/rerun")
    copy = runner.get(UUID(same["id"]))
    assert (copy.payload, copy.tags, copy.priority, copy.state) == (b'{"name": "Ada"}', ("a",), 3, State.PENDING)
    assert copy.unique_key is None
    assert get(program, f"/api/jobs/{copy.id}")["copy_of"] == str(id)
    other = post(program, f"/api/jobs/{id}/rerun", same_payload=False, payload={"name": "Bob"})
    assert json.loads(runner.get(UUID(other["id"])).payload) == {"name": "Bob"}
    wrong = post(program, f"/api/jobs/{id}/rerun", 422, same_payload=False, payload={"nom": "Bob"})
    assert "name: Field required" in wrong["error"]["message"]
    assert runner.get(id).state is State.DISCARDED


def test_enqueue_by_hand(program: TestClient, runner: Runner) -> None:
    """The type of the kind validates the payload, and the options are those of `enqueue`."""
    made = post(program, "/api/jobs", kind="greet", payload={"name": "Ada"}, priority=2, run_at="1h", unique_key="k")
    assert made["created"] is True
    record = runner.get(UUID(made["id"]))
    assert (record.queue, record.priority, record.unique_key) == ("emails", 2, "k")
    again = post(program, "/api/jobs", kind="greet", payload={"name": "Ada"}, unique_key="k")
    assert again == {"id": made["id"], "created": False}
    wrong: list[dict[str, Any]] = [{"kind": "greet", "payload": {}}, {"kind": "unknown"}, {}]
    for body in (*wrong, {"kind": "greet", "run_at": "x"}):
        post(program, "/api/jobs", 422, **body)
    assert program.post("/api/jobs", content=b"{", headers={"content-type": "application/json"}).status_code == 400
    nan = b'{"kind": "greet", "payload": {"name": "x", "times": NaN}}'
    assert program.post("/api/jobs", content=nan, headers={"content-type": "application/json"}).status_code == 422


def test_secrets_are_masked_everywhere(program: TestClient, runner: Runner) -> None:
    """Fields that a type declares as secret, and fields whose names match a pattern, show no value."""
    payload = b'{"user": "ada", "pin": "1234", "apiKey": "k", "nested": [{"db_password": "p"}]}'
    id = add(runner.backend, kind="log_in", payload=payload, meta={"auth_token": "t", "trace": "1"})
    job = get(program, f"/api/jobs/{id}")
    shown = json.dumps(job)
    assert not any(secret in shown for secret in ('"1234"', '"k"', '"p"', '"t"'))
    assert job["payload"]["user"] == "ada"
    assert job["meta"]["trace"] == "1"


def test_a_masked_field_keeps_its_value_in_another_payload(program: TestClient, runner: Runner) -> None:
    """A person edits a payload without seeing its secrets, and without losing them."""
    id = add(runner.backend, kind="log_in", payload=b'{"user": "ada", "pin": "1234"}')
    payload = get(program, f"/api/jobs/{id}")["payload"] | {"user": "bob"}
    made = post(program, f"/api/jobs/{id}/rerun", same_payload=False, payload=payload)
    assert json.loads(runner.get(UUID(made["id"])).payload) == {"user": "bob", "pin": "1234"}


def test_who_may_not_see_payloads_sees_none(visit: Visit, runner: Runner) -> None:
    """Payload, result, meta and the texts of errors and progress are left out, on pages and in JSON."""
    id = discard(runner.backend, "ValueError", SCRIPT, meta={"note": "private-meta"}, payload=b'{"name": "private"}')
    done = complete(runner.backend, b'"private"')
    reported = report(runner.backend, message="private <script>alert(1)</script>")
    add_schedule(runner)
    hidden = visit(PROGRAM, can_see_payloads=False)
    for path in (
        f"/api/jobs/{id}",
        "/api/jobs",
        f"/api/jobs/{done}",
        f"/api/jobs/{reported}",
        "/api/failures",
        "/jobs",
        "/api/schedules",
    ):
        text = hidden.get(path).text
        assert "private" not in text, path
        assert "alert" not in text, path
        assert "Ada" not in text, path
    for page in (
        f"/jobs/{id}",
        f"/jobs/{done}",
        f"/jobs/{reported}",
        "/jobs",
        "/failures",
        "/schedules/edit?name=hourly",
    ):
        text = visit(can_see_payloads=False).get(page).text
        assert "private" not in text, page
        assert "alert" not in text, page
    body = {"same_payload": False, "payload": {"name": "x"}}
    assert hidden.post(f"/api/jobs/{id}/rerun", json=body).status_code == 403
    assert hidden.post(f"/api/jobs/{id}/rerun", json={}).status_code == 200


def test_queues_are_paused_and_resumed(program: TestClient, runner: Runner) -> None:
    """A paused queue is paused for every worker."""
    add(runner.backend)
    post(program, "/api/queues/pause", name="emails")
    [queue] = get(program, "/api/queues")
    assert (queue["name"], queue["paused"]) == ("emails", True)
    assert queue["waiting"] == queue["due"] == {"count": 1, "complete": True}
    post(program, "/api/queues/resume", name="emails")
    assert not get(program, "/api/queues")[0]["paused"]
    post(program, "/api/queues/pause", 422, name="")
    post(program, "/api/queues/pause", 422, name="\x00")


def test_schedules_are_added_edited_paused_run_and_removed(program: TestClient, runner: Runner) -> None:
    """Every action on schedules. An edit keeps what the form does not have."""
    made = post(program, "/api/schedules", name="a/b c", rule="0 7 * * 1-5", kind="greet", payload={"name": "Ada"})
    assert made["explained"] == "At 07:00 on Monday through Friday"
    assert len(made["next_ticks"]) == 5
    post(program, "/api/schedules", 422, name="x", rule="broken", kind="greet", payload={"name": "Ada"})
    post(program, "/api/schedules", 422, name="x", rule="@daily", kind="greet", payload={})
    assert post(program, "/api/schedules/pause", name="a/b c")["paused"]
    edited = post(program, "/api/schedules", name="a/b c", rule="every hour", kind="greet", payload={"name": "Bob"})
    assert (edited["paused"], edited["rule"], edited["payload"]) == (True, "every hour", {"name": "Bob"})
    assert not post(program, "/api/schedules/resume", name="a/b c")["paused"]
    ran = post(program, "/api/schedules/run", name="a/b c")
    assert "schedule:a/b c" in runner.get(UUID(ran["id"])).tags
    assert post(program, "/api/schedules/remove", name="a/b c") == {"done": True}
    for action in ("pause", "resume", "run", "remove"):
        post(program, f"/api/schedules/{action}", 404, name="a/b c")
    assert get(program, "/api/schedules") == []


def test_an_edit_of_a_declared_schedule_survives_the_next_start(program: TestClient, runner: Runner) -> None:
    """The schedule keeps the fingerprint of its declaration, so a worker that starts does not overwrite the edit."""
    from tallystick import NewSchedule  # noqa: PLC0415

    declared = NewSchedule(name="d", rule="@daily", kind="greet", payload=b'{"name": "Ada"}', declared="v1")
    runner.put_schedule(declared)
    post(program, "/api/schedules", name="d", rule="@hourly", kind="greet", payload={"name": "Ada"})
    assert runner.put_schedule(declared).rule == "@hourly"


def test_the_failures_of_a_window_are_grouped(program: TestClient, runner: Runner) -> None:
    """Groups have an error type and a kind, the largest first, with the discarded and the retrying jobs."""
    for _ in range(3):
        discard(runner.backend, "ValueError")
    discard(runner.backend, "KeyError")
    retry(runner.backend, "ValueError")
    failures = get(program, "/api/failures", window="1h")
    assert [(g["error_type"], g["kind"], g["discarded"], g["retrying"]) for g in failures["groups"]] == [
        ("ValueError", "greet", 3, 1),
        ("KeyError", "greet", 1, 0),
    ]
    assert failures["complete"] is True
    assert program.get("/api/failures?window=2h").status_code == 422


def test_workers_and_what_they_run(program: TestClient, runner: Runner) -> None:
    """A worker with its attempts; a lost one comes last."""
    add(runner.backend)
    id = run(runner.backend)
    add_worker(runner.backend, id)
    [worker] = get(program, "/api/workers")
    assert (worker["host"], worker["pid"], worker["state"], worker["busy"]) == ("host-1", 42, "active", 1)
    assert worker["running"][0]["id"] == str(id)
    add_worker(runner.backend, now=datetime.now(UTC) - timedelta(hours=1))
    assert get(program, "/api/workers")[0]["state"] == "lost"


def test_throughput_is_sampled_by_queue(program: TestClient, runner: Runner) -> None:
    """Attempts per minute of each queue over a window, from the meters of all workers."""
    add_attempts(runner.backend, completed=30, discarded=10)
    add_attempts(runner.backend, completed=20, ago=timedelta(minutes=20))
    found = get(program, "/api/throughput", window="1h", step="10m")
    [queue] = found["queues"]
    assert queue["queue"] == "emails"
    assert queue["per_minute"] == 1.0
    assert queue["error_rate"] == 10 / 60
    assert sorted(sample["completed"] for sample in queue["samples"]) == [20, 30]
    for wrong in ({"window": "8d"}, {"step": "90s"}, {"window": "7d", "step": "1m"}, {"window": "x"}):
        assert program.get("/api/throughput", params=wrong).status_code == 422


def test_the_openapi_document_describes_every_endpoint(program: TestClient) -> None:
    """Each path has its operations, models and errors, and every reference leads to a schema."""
    document = get(program, "/api/openapi.json")
    assert document["openapi"] == "3.1.0"
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) == 31
    schemas = document["components"]["schemas"]
    for reference in set(_references(document)):
        assert reference.rpartition("/")[2] in schemas


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [reference for part in value.values() for reference in _references(part)]
    return [reference for part in value for reference in _references(part)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("until", "written"),
    [("started", "started"), ("finished", "finished"), ("purged", "purged"), (timedelta(seconds=30), "PT30S")],
)
def test_each_hold_of_a_unique_key_is_shown(
    program: TestClient, visit: Visit, runner: Runner, until: UniqueUntil, written: str
) -> None:
    """A job with any `unique_until` is in the JSON and on its page."""
    new = NewRecord(kind="greet", queue="emails", payload=b"{}", unique_key="key", unique_until=until)
    runner.backend.insert([new])
    assert get(program, "/api/jobs")["jobs"][0]["unique_until"] == written
    assert visit().get(f"/jobs/{new.id}").status_code == 200

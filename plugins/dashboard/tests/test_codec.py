"""Payloads and results of an application whose runner has a codec."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient
from tallystick import NewSchedule, Runner

from .application import add, complete, discard, make_runner
from .conftest import BROWSER, PROGRAM, Visit

STORES = ("memory",)
ADA = b'{"name": "Ada"}'
WHY = "the codec failed on the {} of &#39;greet&#39;: ValueError"
SOON = timedelta(minutes=2)


class Sealed:
    """Marks and reverses bytes, adds a number as a nonce would, and rejects bytes without its mark."""

    def __init__(self) -> None:
        self.count = 0

    def encode(self, data: bytes, kind: str, /) -> bytes:
        """Return other bytes at each call."""
        self.count += 1
        return b"\x00" + self.count.to_bytes(2) + kind.encode() + b"\x00" + data[::-1]

    def decode(self, data: bytes, kind: str, /) -> bytes:
        """Return the bytes that `encode` took."""
        head, sealed = data[:3], data[3:]
        if head[:1] != b"\x00" or not sealed.startswith(kind.encode() + b"\x00"):
            raise ValueError("not sealed")
        return sealed[len(kind) + 1 :][::-1]


@pytest.fixture
def runner() -> Iterator[Runner]:
    """Return a runner with a codec."""
    with make_runner(f"memory://{uuid4().hex}", codec=Sealed()) as runner:
        yield runner


@pytest.fixture
def sealed(runner: Runner) -> bytes:
    """Return a payload as stored."""
    return runner.enqueue_raw("greet", ADA).record.payload


def ask(program: TestClient, path: str, **body: object) -> Any:
    """Send a command, and return the answer."""
    answer = program.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def payload(runner: Runner, id: str) -> bytes:
    """Return the payload of a job as its handler gets it."""
    return runner.read_payload(runner.get(UUID(id)))


def test_payloads_and_results_are_decoded(program: TestClient, runner: Runner) -> None:
    """The API and the page show what handlers get and return, with masks."""
    handle = runner.enqueue_raw("greet", ADA)
    secret = runner.enqueue_raw("log_in", b'{"user": "ada", "pin": "1234"}')
    runner.start()
    assert runner.result(handle, timeout=SOON) == "Hello, Ada!"
    shown = program.get(f"/api/jobs/{handle.id}").json()
    assert (shown["payload"], shown["payload_error"]) == ({"name": "Ada"}, None)
    assert (shown["result"], shown["result_error"]) == ("Hello, Ada!", None)
    assert program.get(f"/api/jobs/{secret.id}").json()["payload"] == {"user": "ada", "pin": "••••••"}


def test_what_the_codec_rejects_is_shown_as_an_error(visit: Visit, runner: Runner) -> None:
    """The page of a job has the reason in place of payload and result, and no form is filled with it."""
    id = add(runner.backend, payload=ADA)
    browser, program = visit(BROWSER), visit(PROGRAM)
    document = program.get(f"/api/jobs/{id}").json()
    assert document["payload"] is None
    assert document["payload_error"] == "the codec failed on the payload of 'greet': ValueError"
    page = browser.get(f"/jobs/{id}").text
    assert WHY.format("payload") in page
    assert 'rows="10" spellcheck="false"></textarea>' in page
    runner.backend.put_schedules([NewSchedule(name="s", rule="@daily", kind="greet", payload=ADA)])
    [schedule] = program.get("/api/schedules").json()
    assert (schedule["payload"], schedule["payload_error"]) == (None, document["payload_error"])
    assert browser.get("/schedules").status_code == 200
    form = browser.get("/schedules/edit", params={"name": "s"}).text
    assert WHY.format("payload") in form
    assert 'rows="6" spellcheck="false"></textarea>' in form


def test_a_result_that_the_codec_rejects(visit: Visit, runner: Runner, sealed: bytes) -> None:
    """The payload is shown, and the result has the reason."""
    id = complete(runner.backend, b'"plain"')
    document = visit(PROGRAM).get(f"/api/jobs/{id}").json()
    assert (document["result"], document["has_result"]) == (None, True)
    assert document["result_error"] == "the codec failed on the result of 'greet': ValueError"
    assert WHY.format("result") in visit(BROWSER).get(f"/jobs/{id}").text


def test_a_job_runs_again_with_a_payload_that_is_encoded_once(
    program: TestClient, runner: Runner, sealed: bytes
) -> None:
    """The same payload is copied as stored, and another one is encoded; masks are restored."""
    id = discard(runner.backend, payload=sealed)
    assert payload(runner, ask(program, f"/api/jobs/{id}/rerun")["id"]) == ADA
    other = ask(program, f"/api/jobs/{id}/rerun", same_payload=False, payload={"name": "Bob"})
    assert payload(runner, other["id"]) == b'{"name":"Bob"}'
    secret = runner.enqueue_raw("log_in", b'{"user": "ada", "pin": "1234"}')
    edited = ask(program, f"/api/jobs/{secret.id}/rerun", same_payload=False, payload={"user": "bob", "pin": "••••••"})
    assert json.loads(payload(runner, edited["id"])) == {"user": "bob", "pin": "1234"}


def test_a_raw_job_runs_again(program: TestClient, runner: Runner) -> None:
    """The bytes of a raw kind are copied as stored."""
    handle = runner.enqueue_raw("raw", b"\xff\xfe")
    assert payload(runner, ask(program, f"/api/jobs/{handle.id}/rerun")["id"]) == b"\xff\xfe"


def test_a_job_of_an_unknown_kind_runs_again(program: TestClient, runner: Runner) -> None:
    """The codec encodes an edited payload of a kind that is not registered."""
    stored = Sealed().encode(ADA, "unknown")
    id = add(runner.backend, kind="unknown", payload=stored)
    made = ask(program, f"/api/jobs/{id}/rerun", same_payload=False, payload=7)
    assert payload(runner, made["id"]) == b"7"


def test_schedules_are_encoded(visit: Visit, runner: Runner) -> None:
    """A new schedule and an edited one; a user who may not see the payload keeps it."""
    program = visit(PROGRAM)
    fields = {"name": "s", "rule": "@daily", "kind": "greet"}
    made = ask(program, "/api/schedules", **fields, payload={"name": "Ada"})
    assert made["payload"] == {"name": "Ada"}
    [schedule] = runner.schedules()
    assert schedule.payload.startswith(b"\x00")
    hidden = visit(PROGRAM, can_see_payloads=False)
    ask(hidden, "/api/schedules", **{**fields, "rule": "@hourly"}, payload={})
    [schedule] = runner.schedules()
    assert (schedule.rule, json.loads(runner.read_payload(schedule))) == ("@hourly", {"name": "Ada"})
    assert payload(runner, ask(program, "/api/schedules/run", name="s")["id"]) == b'{"name":"Ada"}'


def test_an_edit_of_a_declared_schedule_survives_the_next_start(program: TestClient, runner: Runner) -> None:
    """Although the codec returns other bytes at each call."""
    declared = NewSchedule(name="d", rule="@daily", kind="greet", payload=ADA, declared="v1")
    runner.put_schedule(declared)
    ask(program, "/api/schedules", name="d", rule="@hourly", kind="greet", payload={"name": "Ada"})
    assert runner.put_schedule(declared).rule == "@hourly"
    assert runner.schedules()[0].revision == 3

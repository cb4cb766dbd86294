"""Bulk actions: preview, confirmation, progress, and their end."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient
from tallystick import Backend, Filter, Runner, State, Unavailable
from tallystick_dashboard import DashboardSettings, User
from tallystick_dashboard.control.bulk import MOST_RUNNING, BulkRequest, BulkTasks
from tallystick_dashboard.control.plane import ControlPlane
from tallystick_dashboard.control.queries import JobFilter
from tallystick_dashboard.rejections import Rejection

from .application import add, complete, discard, retry

DISCARDED = {"state": ["discarded"]}


def tasks(runner: Runner) -> BulkTasks:
    """Return bulk tasks that run in the thread of the caller."""
    return BulkTasks(ControlPlane(runner, DashboardSettings(interval=0)), start=lambda run: run())


def request(action: Any, **filter: Any) -> BulkRequest:
    return BulkRequest(action=action, filter=JobFilter(**filter))


def test_a_preview_counts_what_the_action_would_change(program: TestClient, runner: Runner) -> None:
    """It counts only jobs in a state that the action changes, and changes nothing."""
    for _ in range(7):
        discard(runner.backend)
    add(runner.backend)
    body = {"action": "requeue", "filter": {"kind": ["greet"]}}
    preview = program.post("/api/bulk/preview", json=body).json()
    assert (preview["count"], preview["complete"], len(preview["sample"])) == (7, True, 5)
    assert runner.backend.count(Filter(states=[State.DISCARDED])) == 7


def test_all_that_match_are_changed(runner: Runner) -> None:
    """More jobs than one batch, in several calls, and the audit log has the filter and the number."""
    bulk = tasks(runner)
    for _ in range(3):
        discard(runner.backend)
    kept = discard(runner.backend, "KeyError")
    progress = bulk.start(User(), request("requeue", error_type=["ValueError"]))
    assert (progress.state, progress.changed, progress.expected) == ("done", 3, 3)
    assert runner.get(kept).state is State.DISCARDED
    assert bulk.get(progress.id).ended_at is not None
    assert bulk.latest() == [progress]


def test_each_action_in_bulk(runner: Runner) -> None:
    """Cancel, update and delete work as requeue does."""
    bulk = tasks(runner)
    ids = [add(runner.backend) for _ in range(3)]
    from tallystick_dashboard.control.actions import JobChanges  # noqa: PLC0415

    update = BulkRequest(action="update", filter=JobFilter(queue=["emails"]), changes=JobChanges(priority=9))
    assert bulk.start(User(), update).changed == 3
    assert {runner.get(id).priority for id in ids} == {9}
    assert bulk.start(User(), request("cancel", queue=["emails"])).changed == 3
    assert bulk.start(User(), request("delete", state=["cancelled"])).changed == 3
    assert runner.backend.stats().total == 0


def test_selected_jobs_only(runner: Runner) -> None:
    """A selection is a filter with ids."""
    chosen, other = discard(runner.backend), discard(runner.backend)
    assert tasks(runner).start(User(), request("requeue", id=[chosen])).changed == 1
    assert runner.get(other).state is State.DISCARDED


def test_jobs_that_come_after_the_preview_are_spared(program: TestClient, runner: Runner) -> None:
    """The preview returns a filter with a fixed end, and the action uses it."""
    discard(runner.backend)
    preview = program.post("/api/bulk/preview", json={"action": "delete", "filter": DISCARDED}).json()
    late = discard(runner.backend)
    bulk = tasks(runner)
    assert bulk.start(User(), BulkRequest(action="delete", filter=JobFilter(**preview["filter"]))).changed == 1
    assert runner.get(late)


def test_all_jobs_must_be_asked_for(program: TestClient, runner: Runner) -> None:
    """An empty filter is a mistake unless the request says that it is none."""
    complete(runner.backend)
    body: dict[str, Any] = {"action": "delete", "filter": {}}
    assert program.post("/api/bulk", json=body).status_code == 422
    assert program.post("/api/bulk/preview", json=body).status_code == 422
    assert program.post("/api/bulk/preview", json=body | {"everything": True}).json()["count"] == 1
    assert program.post("/api/bulk", json={"action": "update", "filter": DISCARDED}).status_code == 422
    wrong = {"action": "cancel", "filter": DISCARDED, "changes": {"priority": 1}}
    assert program.post("/api/bulk", json=wrong).status_code == 422


def test_a_failure_of_the_store_ends_the_action_with_its_reason(runner: Runner) -> None:
    """The progress shows the error; the jobs that changed stay changed."""
    bulk = tasks(runner)
    discard(runner.backend)

    def fail(*_: object, **__: object) -> None:
        raise Unavailable("the store is away")

    backend: Backend = runner.backend
    backend.requeue = fail  # type: ignore[method-assign,assignment]
    progress = bulk.start(User(), request("requeue", state=["discarded"]))
    assert (progress.state, progress.error, progress.changed) == ("failed", "the store is away", 0)


def test_an_action_is_stopped_between_two_batches(runner: Runner) -> None:
    """A stop before the first batch changes nothing."""
    waiting: list[Any] = []
    plane = ControlPlane(runner, DashboardSettings())
    bulk = BulkTasks(plane, start=waiting.append)
    retry(runner.backend)
    progress = bulk.start(User(), request("requeue", state=["retrying"]))
    bulk.stop(User(), progress.id)
    waiting[0]()
    assert (progress.state, progress.changed) == ("stopped", 0)


def test_an_unknown_action_is_not_found(program: TestClient) -> None:
    """Another process started it, or it is too old."""
    assert program.get(f"/api/bulk/{uuid4()}").status_code == 404
    assert program.post(f"/api/bulk/{uuid4()}/stop").status_code == 404
    assert program.get("/api/bulk").json() == []


def test_few_bulk_actions_run_at_once(runner: Runner) -> None:
    """A further one is rejected. One that runs is never forgotten, however many have ended."""
    held: list[Callable[[], None]] = []
    bulk = BulkTasks(ControlPlane(runner, DashboardSettings()), start=held.append)
    retry_all = request("requeue", kind=["greet"])
    first, *_ = [bulk.start(User(), retry_all) for _ in range(MOST_RUNNING)]
    with pytest.raises(Rejection, match="run already") as caught:
        bulk.start(User(), retry_all)
    assert caught.value.status == 409
    for _ in range(60):
        held.pop()()
        bulk.start(User(), retry_all)
    assert bulk.get(first.id).state == "running"
    assert len(bulk.latest()) == 50

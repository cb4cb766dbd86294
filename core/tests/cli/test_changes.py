from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tallystick import Backend, Complete, Discard, Failure, Filter, NewRecord, Record, State
from tallystick.cli import changes

from .conftest import Cli

LEASE = timedelta(seconds=30)
COMMANDS = ("cancel", "requeue", "delete")
ID = UUID(int=7)


def _insert(store: Backend, *kinds: str, queue: str = "default") -> list[UUID]:
    return [result.record.id for result in store.insert([NewRecord(kind=kind, queue=queue) for kind in kinds])]


def _work(store: Backend) -> Record:
    return store.claim(["default"], limit=1, worker="w-1", lease=LEASE)[0]


def _state(store: Backend, id: UUID) -> State | None:
    record = store.get([id]).get(id)
    return record.state if record else None


def test_jobs_are_cancelled_by_id(cli: Cli, store: Backend) -> None:
    """Only the named jobs are cancelled; repeated ids count once."""
    first, second, third = _insert(store, "a", "b", "c")
    result = cli("jobs", "cancel", first, second, first)
    assert (result.code, result.out, result.err) == (0, "cancelled or asked to stop: 2\n", "")
    assert [_state(store, id) for id in (first, second, third)] == ["cancelled", "cancelled", "pending"]


def test_a_requeued_job_is_pending_again(cli: Cli, store: Backend) -> None:
    """Requeuing a discarded job makes it pending."""
    (id,) = _insert(store, "a")
    store.settle([Discard(_work(store).claim, Failure("OSError", "disk"))])
    assert cli("jobs", "requeue", id).out == "requeued: 1\n"
    assert _state(store, id) is State.PENDING


def test_a_deleted_job_is_gone(cli: Cli, store: Backend) -> None:
    """Deleting a job removes its record."""
    (id,) = _insert(store, "a")
    assert cli("jobs", "delete", id).out == "deleted: 1\n"
    assert _state(store, id) is None


def test_each_id_that_was_not_changed_has_its_reason(cli: Cli, store: Backend) -> None:
    """Each unchanged job has its reason on stderr and in JSON: not found, final, pending, running, or requested."""
    finished, running = _insert(store, "a", "b")
    store.settle([Complete(_work(store).claim)])
    _work(store)
    (pending,) = _insert(store, "c")
    unknown = uuid4()
    store.cancel(Filter(ids=[running]), limit=1)

    result = cli("jobs", "cancel", finished, running, unknown)
    assert (result.code, result.out) == (1, "cancelled or asked to stop: 0\n")
    assert result.err.splitlines() == [
        f"unchanged: {finished}: already completed",
        f"unchanged: {running}: cancellation already requested",
        f"unchanged: {unknown}: not found",
    ]
    result = cli("jobs", "requeue", pending, running, finished, "--json")
    assert result.code == 0
    assert result.json == {
        "changed": [str(finished)],
        "unchanged": [
            {"id": str(pending), "reason": "already pending"},
            {"id": str(running), "reason": "running"},
        ],
    }
    assert cli("jobs", "delete", running).err == f"unchanged: {running}: running\n"


def test_a_taken_unique_key_is_the_reason_that_a_job_was_not_requeued(cli: Cli, store: Backend) -> None:
    """The reason names the unique key that another job holds."""
    store.insert([NewRecord(kind="a", unique_key="k")])
    first = _work(store)
    store.settle([Complete(first.claim)])
    store.insert([NewRecord(kind="a", unique_key="k")])
    assert cli("jobs", "requeue", first.id).err == f"unchanged: {first.id}: another job holds its unique key 'k'\n"


def test_a_filter_changes_matching_jobs(cli: Cli, store: Backend) -> None:
    """With --yes, a filter changes the matching jobs without a prompt."""
    (kept,) = _insert(store, "a")
    first, second = _insert(store, "a", "b", queue="emails")
    result = cli("jobs", "cancel", "--queue", "emails", "--yes", "--json")
    assert result.err == ""
    assert sorted(result.json["changed"]) == sorted([str(first), str(second)])
    assert result.json["unchanged"] == []
    assert _state(store, kept) is State.PENDING


@pytest.mark.parametrize(("reply", "code", "remaining"), [("y", 0, 1), ("n", 1, 3), ("", 1, 3)])
def test_without_yes_a_prompt_shows_the_number(cli: Cli, store: Backend, reply: str, code: int, remaining: int) -> None:
    """Without --yes, the prompt shows the number of matching jobs; any answer but "y", or no input, changes nothing."""
    _insert(store, "a", "b", "c")
    _work(store)
    result = cli("jobs", "delete", "--all", "--json", input=reply)
    assert "Matching jobs: 2. Delete them?" in result.err
    assert result.code == code
    assert store.stats().total == remaining


def test_no_matching_job_needs_no_prompt(cli: Cli) -> None:
    """If no job matches, there is no prompt, and the exit code is 1."""
    result = cli("jobs", "delete", "--state", "completed")
    assert (result.code, result.out, result.err) == (1, "deleted: 0\n", "")


def test_the_count_has_a_limit(cli: Cli, store: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prompt counts up to a limit, then says "or more"."""
    monkeypatch.setattr(changes, "_BATCH", 2)
    monkeypatch.setattr(changes, "_COUNTED", 4)
    _insert(store, *"abcdefg")
    assert "Matching jobs: 4 or more." in cli("jobs", "cancel", "--all", input="n").err


@pytest.mark.parametrize("command", COMMANDS)
def test_more_jobs_than_one_batch(cli: Cli, store: Backend, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """By filter and by ids, more jobs than one batch are all changed."""
    monkeypatch.setattr(changes, "_BATCH", 3)
    ids = _insert(store, *"abcdefgh")
    if command == "requeue":
        store.cancel(Filter(), limit=100)
    assert len(cli("jobs", command, *ids[:4], "--json").json["changed"]) == 4
    if command == "requeue":
        store.cancel(Filter(), limit=100)
    assert len(cli("jobs", command, "--all", "--yes", "--json").json["changed"]) == (8 if command == "requeue" else 4)


def test_a_job_that_keeps_coming_back_is_changed_once(
    cli: Cli, store: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requeuing by a filter ends, even if a worker discards each requeued job at once."""
    (id,) = _insert(store, "a")
    store.cancel(Filter(), limit=1)
    requeue = type(store).requeue

    def requeue_and_cancel(self: Backend, filter: Filter, *, limit: int) -> Sequence[UUID]:
        ids = requeue(self, filter, limit=limit)
        self.cancel(filter, limit=limit)
        return ids

    monkeypatch.setattr(type(store), "requeue", requeue_and_cancel)
    assert cli("jobs", "requeue", "--all", "--yes", "--json").json["changed"] == [str(id)]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "options", [(), ("--yes",), ("--all", "--queue", "q"), (ID, "--all"), (ID, "--kind", "a")], ids=str
)
def test_exactly_one_way_to_select_jobs(cli: Cli, store: Backend, command: str, options: tuple[object, ...]) -> None:
    """Without ids, filter or --all, or with two of them, the command fails and changes nothing."""
    _insert(store, "a")
    result = cli("jobs", command, *options)
    assert result.code == 2
    assert result.err == "error: select jobs in exactly one way: by ID, by filter options, or with --all\n"
    assert store.stats().by_state[State.PENDING] == 1


def test_update_changes_waiting_jobs(cli: Cli, store: Backend) -> None:
    """`jobs update` changes priority, queue and due time of the selected jobs that wait, after a confirmation."""
    running, *ids = _insert(store, "a", "b", "c")
    _work(store)
    options = "--set-priority", 5, "--set-queue", "fast", "--set-run-at", "2030-01-01"
    result = cli("jobs", "update", "--queue", "default", *options, input="y")
    assert "Matching jobs: 2. Update them?" in result.err
    assert (result.code, result.out.splitlines()[-1]) == (0, "updated: 2")
    for record in store.get(ids).values():
        assert (record.priority, record.queue, record.run_at.year) == (5, "fast", 2030)
    again = cli("jobs", "update", ids[0], running, ID, "--set-priority", 5)
    assert (again.code, again.out) == (1, "updated: 0\n")
    assert again.err.splitlines() == [
        f"unchanged: {ids[0]}: it has these values already",
        f"unchanged: {running}: running",
        f"unchanged: {ID}: not found",
    ]


def test_update_needs_a_value_and_a_selection(cli: Cli, store: Backend) -> None:
    """`jobs update` without a new value, or without a selection, changes nothing."""
    (id,) = _insert(store, "a")
    assert cli("jobs", "update", id).code == 2
    assert cli("jobs", "update", "--set-priority", 5).code == 2
    assert cli("jobs", "update", id, "--set-priority", 99_999).code == 2
    assert store.get([id])[id].priority == 0

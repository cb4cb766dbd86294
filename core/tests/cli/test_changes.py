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
    return [answer.record.id for answer in store.insert([NewRecord(kind=kind, queue=queue) for kind in kinds])]


def _work(store: Backend) -> Record:
    return store.claim(["default"], limit=1, worker="w-1", lease=LEASE)[0]


def _state(store: Backend, id: UUID) -> State | None:
    record = store.get([id]).get(id)
    return record.state if record else None


def test_jobs_are_cancelled_by_id(cli: Cli, store: Backend) -> None:
    """The named ones, and no other; ids given twice count once."""
    first, second, third = _insert(store, "a", "b", "c")
    answer = cli("jobs", "cancel", first, second, first)
    assert (answer.code, answer.out, answer.err) == (0, "cancelled or asked to stop: 2\n", "")
    assert [_state(store, id) for id in (first, second, third)] == ["cancelled", "cancelled", "pending"]


def test_a_requeued_job_is_pending_again(cli: Cli, store: Backend) -> None:
    """A discarded job gets another life."""
    (id,) = _insert(store, "a")
    store.settle([Discard(_work(store).claim, Failure("OSError", "disk"))])
    assert cli("jobs", "requeue", id).out == "requeued: 1\n"
    assert _state(store, id) is State.PENDING


def test_a_deleted_job_is_gone(cli: Cli, store: Backend) -> None:
    """Its record is no longer there."""
    (id,) = _insert(store, "a")
    assert cli("jobs", "delete", id).out == "deleted: 1\n"
    assert _state(store, id) is None


def test_each_id_that_was_not_changed_has_its_reason(cli: Cli, store: Backend) -> None:
    """Not found, final, pending, running and flagged are told apart, on stderr and in JSON."""
    finished, running = _insert(store, "a", "b")
    store.settle([Complete(_work(store).claim)])
    _work(store)
    (waiting,) = _insert(store, "c")
    unknown = uuid4()
    store.cancel(Filter(ids=[running]), limit=1)

    answer = cli("jobs", "cancel", finished, running, unknown)
    assert (answer.code, answer.out) == (1, "cancelled or asked to stop: 0\n")
    assert answer.err.splitlines() == [
        f"unchanged: {finished}: already completed",
        f"unchanged: {running}: cancellation already requested",
        f"unchanged: {unknown}: not found",
    ]
    answer = cli("jobs", "requeue", waiting, running, finished, "--json")
    assert answer.code == 0
    assert answer.json == {
        "changed": [str(finished)],
        "unchanged": [
            {"id": str(waiting), "reason": "already pending"},
            {"id": str(running), "reason": "running"},
        ],
    }
    assert cli("jobs", "delete", running).err == f"unchanged: {running}: running\n"


def test_a_taken_unique_key_is_the_reason_that_a_job_was_not_requeued(cli: Cli, store: Backend) -> None:
    """Another job holds the key now."""
    store.insert([NewRecord(kind="a", unique_key="k")])
    first = _work(store)
    store.settle([Complete(first.claim)])
    store.insert([NewRecord(kind="a", unique_key="k")])
    assert cli("jobs", "requeue", first.id).err == f"unchanged: {first.id}: another job holds its unique key 'k'\n"


def test_a_filter_changes_what_fits(cli: Cli, store: Backend) -> None:
    """With --yes there is no question."""
    (kept,) = _insert(store, "a")
    one, two = _insert(store, "a", "b", queue="emails")
    answer = cli("jobs", "cancel", "--queue", "emails", "--yes", "--json")
    assert answer.err == ""
    assert sorted(answer.json["changed"]) == sorted([str(one), str(two)])
    assert answer.json["unchanged"] == []
    assert _state(store, kept) is State.PENDING


@pytest.mark.parametrize(("word", "code", "left"), [("y", 0, 1), ("n", 1, 3), ("", 1, 3)])
def test_without_yes_the_number_is_said_and_a_person_decides(
    cli: Cli, store: Backend, word: str, code: int, left: int
) -> None:
    """The question counts what could be changed now; anything but yes, the end of input too, changes nothing."""
    _insert(store, "a", "b", "c")
    _work(store)
    answer = cli("jobs", "delete", "--all", "--json", input=word)
    assert "Matching jobs: 2. Delete them?" in answer.err
    assert answer.code == code
    assert store.stats().total == left


def test_nothing_that_fits_is_no_question(cli: Cli) -> None:
    """A script without --yes does not hang on an empty store; it exits with 1."""
    answer = cli("jobs", "delete", "--state", "completed")
    assert (answer.code, answer.out, answer.err) == (1, "deleted: 0\n", "")


def test_a_great_number_is_not_counted_to_its_end(cli: Cli, store: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question says so."""
    monkeypatch.setattr(changes, "_BATCH", 2)
    monkeypatch.setattr(changes, "_COUNTED", 4)
    _insert(store, *"abcdefg")
    assert "Matching jobs: 4 or more." in cli("jobs", "cancel", "--all", input="n").err


@pytest.mark.parametrize("command", COMMANDS)
def test_batches_go_on_until_nothing_more_is_returned(
    cli: Cli, store: Backend, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """More jobs than one batch holds are changed to the last, by filter and by ids."""
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
    """Requeuing ends although a worker discards each job as soon as it is requeued."""
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
def test_which_jobs_is_said_in_exactly_one_way(
    cli: Cli, store: Backend, command: str, options: tuple[object, ...]
) -> None:
    """No ids, no filter and no --all is a mistake, such as an empty variable in a script; nothing is changed."""
    _insert(store, "a")
    answer = cli("jobs", command, *options)
    assert answer.code == 2
    assert answer.err == "error: select jobs in exactly one way: by ID, by filter options, or with --all\n"
    assert store.stats().by_state[State.PENDING] == 1

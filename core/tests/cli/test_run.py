"""`tallystick run`: one job by hand."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tallystick import Backend, Complete, Discard, Failure, Filter, Record

from .conftest import Cli

APP = """
from pydantic import BaseModel
from tallystick import Context, Runner

runner = Runner("{url}")

class User(BaseModel):
    id: int

@runner.job("emails:welcome", queue="emails", max_attempts=3)
def welcome(user: User, ctx: Context) -> dict[str, int]:
    if user.id == 0:
        raise LookupError("no such user")
    return {{"sent to": user.id}}
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    """Write an application into the current directory; return the name of its runner."""
    module = f"app_{url.rpartition('/')[2]}"
    (tmp_path / f"{module}.py").write_text(APP.format(url=url))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return f"{module}:runner"


def test_without_an_app_the_job_is_stored_unchecked(cli: Cli, store: Backend) -> None:
    """`run` stores a job of any kind, with its options, and prints its id."""
    result = cli("run", "emails:welcome", "--payload", '{"id": 7}', "--queue", "q", "--priority", 2, "--run-at", "1h")
    [record] = _stored(store)
    assert (result.code, result.out) == (0, f"enqueued: {record.id}\n")
    assert (record.kind, record.payload, record.queue, record.priority) == ("emails:welcome", b'{"id": 7}', "q", 2)
    assert (record.run_at - record.created_at).total_seconds() > 3_500


def _stored(store: Backend) -> list[Record]:
    return [*store.list(Filter(), limit=10)]


def test_an_app_checks_the_job_and_gives_its_options(cli: Cli, store: Backend, app: str) -> None:
    """With --runner, the job has the options of its kind, and an invalid payload or kind is rejected."""
    id = cli("run", "emails:welcome", "--payload", '{"id": 7}', "--runner", app, "--json").json["id"]
    [record] = _stored(store)
    assert (str(record.id), record.queue, record.max_attempts) == (id, "emails", 3)
    for arguments, error in (
        (("emails:welcome", "--payload", '{"nr": 7}'), "id: Field required"),
        (("emails:wellcome",), "is not registered"),
    ):
        result = cli("run", *arguments, "--runner", app)
        assert (result.code, store.stats().total) == (2, 1)
        assert error in result.err


def test_a_held_key_enqueues_nothing(cli: Cli, store: Backend) -> None:
    """`--unique-key` reports the job that holds the key."""
    first = cli("run", "a", "--unique-key", "k", "--json").json
    second = cli("run", "a", "--unique-key", "k")
    assert first["duplicate"] is False
    assert second.out == f"not enqueued: job {first['id']} holds the unique key\n"


def test_the_payload_comes_from_a_file_or_stdin(cli: Cli, store: Backend, tmp_path: Path) -> None:
    """`@FILE` and `-` read the payload; text that is no JSON, and a missing file, are rejected."""
    (tmp_path / "user.json").write_text('{"id": 8}')
    assert cli("run", "a", "--payload", f"@{tmp_path}/user.json").code == 0
    assert cli("run", "a", "--payload", "-", input='{"id": 9}').code == 0
    assert sorted(json.loads(record.payload)["id"] for record in _stored(store)) == [8, 9]
    for bad, error in (("{id}", "is no JSON"), (f"@{tmp_path}/none", "No such file")):
        result = cli("run", "a", "--payload", bad)
        assert (result.code, error in result.err) == (2, True)


def test_wait_prints_the_result_or_fails(cli: Cli, store: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--wait` prints the result of a completed job. For a discarded or unfinished one, it exits with 1."""
    completes = iter([True, False])

    def work(seconds: float) -> None:
        [record] = store.claim(["default"], limit=1, worker="w", lease=timedelta(minutes=1))
        good, bad = Complete(record.claim, b'{"n":1}'), Discard(record.claim, Failure("OSError", "disk"))
        store.settle([good if next(completes) else bad])

    monkeypatch.setattr("tallystick.runner.results.sleep", work)
    good, bad = cli("run", "a", "--wait", "600"), cli("run", "a", "--wait", "600")
    assert (good.code, good.out.partition("\n")[2]) == (0, '{\n  "n": 1\n}\n')
    assert (bad.code, "was discarded: OSError: disk" in bad.err) == (1, True)
    unfinished = cli("run", "a", "--wait", "0")
    assert (unfinished.code, "has not finished" in unfinished.err) == (1, True)


def test_inline_runs_the_handler_here(cli: Cli, store: Backend, app: str) -> None:
    """`--inline` runs the handler without a store, prints its result, and raises its exceptions."""
    result = cli("run", "emails:welcome", "--payload", '{"id": 7}', "--runner", app, "--inline", "--json")
    assert (result.json, store.stats().total) == ({"result": {"sent to": 7}}, 0)
    with pytest.raises(LookupError, match="no such user"):
        cli("run", "emails:welcome", "--payload", '{"id": 0}', "--runner", app, "--inline")
    for arguments in (("emails:welcome",), ("other", "--runner", app)):
        assert cli("run", *arguments, "--inline").code == 2


def test_a_store_must_be_chosen(cli: Cli) -> None:
    """Without a store, the error names the option and the variable."""
    assert "no store was selected" in cli("run", "a", TALLYSTICK_BACKEND=None).err

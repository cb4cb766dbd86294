"""`--app` decodes payloads and results with the codec of the application's runner."""

from datetime import timedelta
from pathlib import Path

import pytest
from tallystick import Backend, Complete, NewRecord, NewSchedule

from .conftest import Cli

APPLICATION = """
from tallystick import Runner

class Reversed:
    def encode(self, data: bytes, kind: str) -> bytes:
        return b"\\x00" + data[::-1]

    def decode(self, data: bytes, kind: str) -> bytes:
        if not data.startswith(b"\\x00"):
            raise ValueError(data)
        return data[:0:-1]

runner = Runner(codec=Reversed())
"""
WHY = "the codec failed on the {} of 'a': ValueError"


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the runner of an application with a codec."""
    name = f"application_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(APPLICATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return f"{name}:runner"


def _completed(store: Backend, payload: bytes, result: bytes) -> str:
    store.insert([NewRecord(kind="a", payload=payload)])
    [record] = store.claim(["default"], limit=1, worker="w", lease=timedelta(minutes=1))
    store.settle([Complete(record.claim, result)])
    return str(record.id)


def test_a_job_is_shown_as_the_codec_decodes_it(cli: Cli, store: Backend, runner: str) -> None:
    """Without the runner, the command shows the stored bytes."""
    id = _completed(store, b'\x00}7:"a"{', b"\x0034")
    assert "\npayload\n8 bytes, not JSON: 00 7d" in cli("jobs", "show", id).out
    assert '\npayload\n{\n  "a": 7\n}\n\nresult\n43\n' in cli("jobs", "show", id, "--app", runner).out
    document = cli("jobs", "show", id, "--app", runner, "--json").json
    assert (document["payload"], document["result"]) == ({"a": 7}, 43)
    assert "payload_error" not in document


def test_bytes_that_the_codec_rejects_are_shown_with_the_reason(cli: Cli, store: Backend, runner: str) -> None:
    """The command succeeds, so that the rest of the job can be read."""
    id = _completed(store, b'"plain"', b"7")
    shown = cli("jobs", "show", id, "--app", runner)
    assert shown.code == 0
    assert f'\npayload\n{WHY.format("payload")}\n"plain"\n\nresult\n{WHY.format("result")}\n7\n' in shown.out
    document = cli("jobs", "show", id, "--app", runner, "--json").json
    assert (document["payload"], document["payload_error"]) == ("plain", WHY.format("payload"))
    assert (document["result"], document["result_error"]) == (7, WHY.format("result"))


def test_schedules_are_decoded(cli: Cli, store: Backend, runner: str) -> None:
    """`schedules show` decodes the payload, or shows why it cannot."""
    for name, payload in (("good", b'\x00}7:"a"{'), ("bad", b"7")):
        store.put_schedules([NewSchedule(name=name, rule="@daily", kind="a", payload=payload)])
    assert cli("schedules", "show", "good", "--app", runner).out.endswith('\npayload\n{\n  "a": 7\n}\n')
    assert cli("schedules", "show", "bad", "--app", runner).out.endswith(f"\n{WHY.format('payload')}\n7\n")
    assert cli("schedules", "show", "good", "--app", runner, "--json").json["payload"] == {"a": 7}
    assert cli("schedules", "show", "bad", "--app", runner, "--json").json["payload_error"] == WHY.format("payload")

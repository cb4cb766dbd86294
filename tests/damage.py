"""Checks of a store with one damaged record among good ones."""

import os
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from io import StringIO
from unittest.mock import patch
from uuid import UUID

import pytest
from tallystick import Backend, Complete, Filter, NewRecord, Record, State
from tallystick.cli.app import app
from typer.main import get_command

COMMAND = get_command(app)

LEASE = timedelta(minutes=5)
READ_COMMANDS = (
    ["jobs", "list"],
    ["jobs", "list", "--json"],
    ["stats"],
    ["stats", "--json"],
    ["queues", "list"],
    ["doctor"],
)
CHANGE_COMMANDS = ("cancel", "requeue", "delete")


def fill(backend: Backend) -> tuple[UUID, list[UUID]]:
    """Insert jobs; return the id of the one to damage, and the ids of the others."""
    ids = [inserted.record.id for inserted in backend.insert([NewRecord(kind="k", tags=("t",)) for _ in range(7)])]
    return ids.pop(3), ids


def assert_harmless(backend: Backend, url: str, damaged: UUID, good: Sequence[UUID]) -> Record | None:
    """Check that all calls and commands work, and that the other jobs complete at their first attempt.

    Return the damaged record afterwards, or None if it cannot be read as a record.
    """
    _read(backend, damaged)
    _run_commands(url, damaged)
    backend.rescue(limit=100)
    while claimed := backend.claim(["default"], limit=4, worker="w", lease=LEASE):
        backend.extend([record.claim for record in claimed], lease=LEASE)
        backend.settle([Complete(record.claim) for record in claimed])
    done = backend.get(good)
    assert [(id, done[id].state, done[id].attempt) for id in good] == [(id, State.COMPLETED, 1) for id in good]
    after = backend.get([damaged]).get(damaged)
    _read(backend, damaged)
    _run_commands(url, damaged)
    for command in CHANGE_COMMANDS:
        _run(url, "jobs", command, str(damaged))
    assert len(backend.get(good)) == len(good)
    return after


def _read(backend: Backend, damaged: UUID) -> None:
    backend.get([damaged])
    backend.list(Filter(), limit=100)
    backend.list(Filter(tags=["t"], kinds=["k"], queues=["default"]), limit=100)
    backend.stats()
    backend.queues()
    backend.diagnose()


def _run_commands(url: str, damaged: UUID) -> None:
    for arguments in READ_COMMANDS:
        _run(url, *arguments)
    _run(url, "jobs", "show", str(damaged))
    _run(url, "jobs", "show", str(damaged), "--json")


def _run(url: str, *arguments: str) -> None:
    with (
        patch.dict(os.environ, TALLYSTICK_BACKEND=url, COLUMNS="120"),
        redirect_stdout(StringIO()) as output,
        redirect_stderr(output),
        pytest.raises(SystemExit) as end,
    ):
        COMMAND.main(list(arguments), prog_name="tallystick")
    assert end.value.code in {0, 1}, (arguments, output.getvalue())
    assert all(character.isprintable() or character == "\n" for character in output.getvalue()), arguments

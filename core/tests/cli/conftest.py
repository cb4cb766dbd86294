import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from tallystick import Backend, open_backend
from tallystick.cli.app import app
from typer.testing import CliRunner


@dataclass
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


class Cli:
    """Calls commands in this process, on one store."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *arguments: object, input: str | None = None, **environment: str | None) -> Answer:
        """Call a command; only the end of the process is caught."""
        result = CliRunner().invoke(
            app,
            [str(argument) for argument in arguments],
            input=input,
            env={"TALLYSTICK_BACKEND": self.url, "TALLYSTICK_DEBUG": None, "COLUMNS": "120"} | environment,
            catch_exceptions=False,
        )
        return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def url() -> str:
    """Name a store of this test's own."""
    return f"memory://{uuid4().hex}"


@pytest.fixture
def store(url: str) -> Iterator[Backend]:
    """Open the store, to seed it and to look at it."""
    with open_backend(url) as backend:
        yield backend
        backend.teardown()


@pytest.fixture
def cli(url: str, store: Backend) -> Cli:
    """Call commands on the store."""
    return Cli(url)

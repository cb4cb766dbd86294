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
class Result:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Parse stdout as one JSON document."""
        return json.loads(self.out)


class Cli:
    """Calls commands in this process on one store."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *arguments: object, input: str | None = None, **environment: str | None) -> Result:
        """Call a command; catch only SystemExit."""
        result = CliRunner().invoke(
            app,
            [str(argument) for argument in arguments],
            input=input,
            env={"TALLYSTICK_BACKEND": self.url, "TALLYSTICK_DEBUG": None, "COLUMNS": "120"} | environment,
            catch_exceptions=False,
        )
        return Result(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def url() -> str:
    """Return the URL of a new store."""
    return f"memory://{uuid4().hex}"


@pytest.fixture
def store(url: str) -> Iterator[Backend]:
    """Open the store, to insert jobs and inspect them."""
    with open_backend(url) as backend:
        yield backend
        backend.teardown()


@pytest.fixture
def cli(url: str, store: Backend) -> Cli:
    """Return a function that calls commands on the store."""
    return Cli(url)

"""The option `--runner` of commands that show payloads: the application's codec decodes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

import typer

from ..contract.backend import Backend
from ..contract.records import Record
from ..contract.schedules import Schedule
from ..errors import InvalidPayload, InvalidResult
from ..runner.loading import load_runner
from ..runner.runner import Runner
from .options import opened

StoredT = TypeVar("StoredT", Record, Schedule)

RunnerName = Annotated[
    str | None,
    typer.Option("--runner", metavar="MODULE:RUNNER", help="The application's runner, whose codec decodes payloads."),
]


@contextmanager
def opened_for(name: str | None, url: str | None) -> Iterator[tuple[Backend, Runner | None]]:
    """Open the store of a runner, or else of a URL. A runner without a store of its own gets the URL."""
    if name is None:
        with opened(url) as store:
            yield store, None
        return
    runner = load_runner(name)
    if url is not None and not runner.has_chosen_store:
        runner.configure(backend=url)
    with runner:
        yield runner.backend, runner


def decoded(runner: Runner | None, stored: StoredT) -> tuple[StoredT, dict[str, str]]:
    """Return a record or a schedule with decoded bytes, and an error for each field that stays as stored."""
    if runner is None:
        return stored, {}
    errors: dict[str, str] = {}
    try:
        stored = stored._replace(payload=runner.read_payload(stored))
    except InvalidPayload as exc:
        errors["payload"] = str(exc)
    if isinstance(stored, Record):
        try:
            stored = stored._replace(result=runner.read_result(stored))
        except InvalidResult as exc:
            errors["result"] = str(exc)
    return stored, errors

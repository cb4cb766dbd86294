"""`tallystick run`: enqueue one job by hand, or run its handler in this process."""

import json
import os
import sys
from datetime import datetime, timedelta
from typing import Annotated, Any, cast

import typer

from ..contract.records import NewRecord
from ..errors import InvalidArgument, UnknownKind
from ..jobs.declaration import Call
from ..jobs.handle import Handle
from ..runner.job_result import Status
from ..runner.loading import load_runner
from ..runner.runner import Runner
from . import show
from .options import Json, examples, opened
from .times import parse_due
from .worker_options import seconds

EXAMPLES = examples(
    "tallystick run emails:welcome --payload '{\"user\": 7}' --runner app.jobs:runner",
    "tallystick run emails:welcome --payload @user.json --runner app.jobs:runner --wait 30",
    "tallystick run emails:welcome --payload '{\"user\": 7}' --runner app.jobs:runner --inline",
    "tallystick run reports:daily --queue reports --run-at 15m --backend sqlite:///jobs.db",
)

Kind = Annotated[str, typer.Argument(metavar="KIND", help="The kind of the job.", show_default=False)]
Payload = Annotated[
    str, typer.Option(metavar="JSON", help="The payload; @FILE reads a file, and - reads the standard input.")
]
RunnerName = Annotated[
    str | None,
    typer.Option("--runner", metavar="MODULE:RUNNER", help="The application's runner, which checks the payload."),
]
Queue = Annotated[str | None, typer.Option(metavar="QUEUE", help="The queue, instead of the kind's.")]
Priority = Annotated[int | None, typer.Option(metavar="N", help="The priority; higher runs first.")]
RunAt = Annotated[
    datetime | None, typer.Option(parser=parse_due, metavar="TIME", help="When due: ISO 8601, or a delay as 15m.")
]
UniqueKey = Annotated[str | None, typer.Option(metavar="KEY", help="Enqueue nothing if a job holds this key.")]
Wait = Annotated[
    timedelta | None, typer.Option(parser=seconds, metavar="SECONDS", help="Wait for the job, and print its result.")
]
Inline = Annotated[bool, typer.Option("--inline", help="Run the handler in this process; needs --runner, no store.")]
Store = Annotated[
    str | None, typer.Option(metavar="URL", help="The store; by default the runner's, or TALLYSTICK_BACKEND.")
]


def run(
    kind: Kind,
    *,
    payload: Payload = "{}",
    runner_name: RunnerName = None,
    queue: Queue = None,
    priority: Priority = None,
    run_at: RunAt = None,
    unique_key: UniqueKey = None,
    wait: Wait = None,
    inline: Inline = False,
    backend: Store = None,
    as_json: Json = False,
) -> None:
    """Enqueue one job by hand. A worker runs it.

    With --runner, the runner of your application checks the kind and the
    payload, and the job has the options of its kind. Without it, nothing checks
    them.

    With --wait, print the result; exit with 1 if the job fails or does not
    finish in time. With --inline, call the handler here and now, once, and
    print its result. Its exceptions show their traceback.

    With --json: an object with the keys id, duplicate (whether a job with the
    unique key existed) and, with --wait, result; with --inline only result.
    """
    data = _payload(payload)
    if inline:
        _run_inline(kind, data, runner_name, as_json=as_json)
        return
    options = {"queue": queue, "priority": priority, "run_at": run_at, "unique_key": unique_key}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    with _unchecked(backend) if runner_name is None else _checking(runner_name, backend) as runner:
        enqueue = _enqueue_unchecked if runner_name is None else Runner.enqueue_raw
        handle = enqueue(runner, kind, data, **given)
        if not as_json:
            typer.echo(_report(handle))
        result = None if wait is None else _result(runner, handle, wait)
    if as_json:
        more = {} if wait is None else {"result": result}
        show.document({"id": handle.id, "duplicate": handle.duplicate, **more})
    elif result is not None:
        show.put(show.content(result))


def _payload(text: str) -> bytes:
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            with open(text[1:], encoding="utf-8") as file:  # noqa: PTH123  # its error names the file as it was given
                text = file.read()
        json.loads(text)
    except OSError as exc:
        raise InvalidArgument(f"--payload is {text}, and the file cannot be read: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise InvalidArgument(f"--payload is no JSON: {exc}") from exc
    return text.encode()


def _unchecked(backend: str | None) -> Runner:
    url = backend or os.environ.get("TALLYSTICK_BACKEND")
    opened(url).close()  # checks that there is a store
    return Runner(url)


def _checking(name: str, backend: str | None) -> Runner:
    runner = load_runner(name)
    if backend is not None:
        runner.configure(backend=backend)
    elif not runner.has_chosen_store:
        opened(None)
    return runner


def _enqueue_unchecked(runner: Runner, kind: str, data: bytes, **options: Any) -> Handle[Any]:
    [inserted] = runner.backend.insert([NewRecord(kind=kind, payload=data, **options)])
    return Handle.of(inserted)


def _report(handle: Handle[Any]) -> str:
    if handle.duplicate:
        return f"not enqueued: job {handle.id} holds the unique key"
    return f"enqueued: {handle.id}"


def _result(runner: Runner, handle: Handle[Any], wait: timedelta) -> bytes | None:
    """Return the result of the job as JSON; raise the error of `Runner.result` if it has none."""
    outcome = runner.wait_for(handle, timeout=wait)
    if outcome.status is not Status.COMPLETED or outcome.record is None:
        return cast("None", outcome.value)  # raises
    return runner.read_result(outcome.record)


def _run_inline(kind: str, data: bytes, name: str | None, *, as_json: bool) -> None:
    from ..testing.run_job import run_job  # noqa: PLC0415  # only this option needs it

    if name is None:
        raise InvalidArgument("--inline runs the handler here, so it needs your code; pass --runner MODULE:RUNNER")
    runner = load_runner(name)
    if kind not in runner.definitions:
        known = ", ".join(sorted(runner.definitions)) or "none"
        raise UnknownKind(f"{kind!r} is not registered with {name}; the registered kinds are: {known}")
    definition = runner.definitions[kind]
    result = definition.encode_result(run_job(Call(definition, definition.decode(data))))
    if as_json:
        show.document({"result": result})
    elif result is not None:
        show.put(show.content(result))

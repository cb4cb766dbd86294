"""The command `tallystick conform replay`."""

from importlib import import_module
from pathlib import Path
from signal import SIGINT
from typing import Annotated, Any

import typer
from tallystick import ConfigurationError, TallystickError

from ..contract.clauses import CLAUSES
from ..harness.interrupts import as_interrupts
from ..harness.profiles import PROFILES
from ..harness.trace import Trace, load
from ..harness.violation import Violation
from ..running.session import Session
from ..running.traces import again
from ..subject.first_look import looked_at
from ..subject.redaction import Redaction
from ..subject.target import Target
from ..subject.tracing import TracedCall
from .exits import FAILED, SIGNALLED, misused


def replay(
    path: Annotated[Path, typer.Argument(metavar="TRACE", help="A trace file that `--report` or `--traces` wrote.")],
    url: Annotated[
        str,
        typer.Argument(help="The backend's URL. The kit creates its own store next to the one at the URL."),
    ],
    *,
    backend: Annotated[
        str,
        typer.Option("--backend", metavar="MODULE:CLASS", help="A class to test that no installed plugin provides."),
    ] = "",
) -> None:
    """Repeat the calls of a violation, and print each call. To debug, put a breakpoint() into the backend.

    Exit codes: 0: the clause holds; 1: it is broken; 2: bad usage, or the calls cannot be repeated on this store; 130,
    143: interrupted.
    """
    redacted = Redaction(url).text
    try:
        trace = load(path)
        target = _target(backend, url)
        typer.echo(f"{trace.clause_id}: {CLAUSES[trace.clause_id].text}")
        violation = _replayed(trace, target)
    except TallystickError as exc:
        raise misused(redacted(str(exc))) from exc
    if violation is None:
        typer.echo("the clause holds")
        return
    typer.echo(
        redacted(f"{trace.clause_id} is broken\n  expected: {violation.expected}\n  observed: {violation.observed}")
    )
    raise typer.Exit(FAILED)


def _target(backend: str, url: str) -> Target:
    if not backend:
        return Target.of(url)
    module, _, name = backend.partition(":")
    try:
        cls: Any = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise ConfigurationError(f"--backend is {backend!r}; it must be MODULE:CLASS: {exc}") from exc
    return Target.from_class(cls, url)


def _replayed(trace: Trace, target: Target) -> Violation | None:
    """Replay the trace.

    Raises:
        ConfigurationError: The trace's profile does not exist, or the calls cannot be repeated on this store.
    """
    if trace.profile not in PROFILES:
        raise ConfigurationError(f"no profile is called {trace.profile!r}")
    made: list[TracedCall] = []

    def on_call(number: int, call: TracedCall) -> None:
        if number == len(made):  # a second pass checks every clause
            made.append(call)
            typer.echo(f"  {call}")

    with as_interrupts() as signals:
        try:
            capabilities = looked_at(target).capabilities
            if not trace.calls:
                typer.echo(f"  the trace has no calls: the kit runs the clause, with seed {trace.seed}")
            session = Session(target, PROFILES[trace.profile], capabilities, {}, everything=True)
            violation = again(session, trace, on_call)
        except KeyboardInterrupt as interrupt:
            target.clean(interrupt)
            raise typer.Exit(SIGNALLED + (signals[0] if signals else SIGINT)) from None
        finally:
            target.clean()
    if violation is None and len(made) < len(trace.calls):
        raise ConfigurationError("the calls of the trace cannot be repeated on this store")
    return violation

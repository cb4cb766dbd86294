"""`tallystick worker`: import the application's runner and run it until a signal."""

import logging
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Annotated, cast

import typer

import tallystick

from .. import signals
from ..errors import ConfigurationError, Unavailable
from ..settings import SettingsArgs
from . import logs
from .options import examples

logger = logging.getLogger("tallystick.worker")

EXAMPLES = examples(
    "tallystick worker app.jobs:runner",
    "tallystick worker app.jobs:runner --concurrency 32 --queue emails --queue reports",
    "tallystick worker app.main:make_runner --grace 60 --log-format json",
)


def _seconds(text: str) -> timedelta:
    try:
        return timedelta(seconds=float(text))
    except (OverflowError, ValueError) as exc:
        raise typer.BadParameter(f"{text!r} is not a number of seconds") from exc


def worker(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", help="module:attribute, a Runner or a function that returns one.", show_default=False
        ),
    ],
    *,
    concurrency: Annotated[int | None, typer.Option(min=1, metavar="N", help="Jobs that run at one time.")] = None,
    queues: Annotated[
        list[str] | None, typer.Option("--queue", metavar="QUEUE", help="Work this queue; can be repeated.")
    ] = None,
    backend: Annotated[str | None, typer.Option(metavar="URL", help="The store.")] = None,
    lease: Annotated[
        timedelta | None, typer.Option(parser=_seconds, metavar="SECONDS", help="How long a claim holds unextended.")
    ] = None,
    grace: Annotated[
        timedelta | None, typer.Option(parser=_seconds, metavar="SECONDS", help="How long a shutdown waits for jobs.")
    ] = None,
    log_level: Annotated[logs.Level, typer.Option(help="The least severe messages that are logged.")] = logs.Level.INFO,
    log_format: Annotated[logs.Format, typer.Option(help="Lines of text, or one JSON object a line.")] = (
        logs.Format.TEXT
    ),
) -> None:
    """Work jobs until SIGTERM or SIGINT.

    Then the running ones may finish; a second signal ends their grace. An
    option that is not given is as the runner says. The target can be imported
    from the current directory. It must name a store: memory:// is used only
    where it was chosen.
    """
    logs.configure(log_level, log_format)
    runner = load(target)
    _check_unused(runner, target)
    given = {"backend": backend, "concurrency": concurrency, "queues": queues or None, "lease": lease, "grace": grace}
    overrides = cast("SettingsArgs", {name: value for name, value in given.items() if value is not None})
    if overrides:  # else a runner that its module has opened already is still welcome
        runner.configure(**overrides)
    _check_store(runner, target)
    with signals.process_signals(), runner:
        if not runner.backend.capabilities.multi_process:
            logger.warning(
                "this worker sees no jobs of other processes: %s serves this process only; choose a store such as "
                "sqlite:///jobs.db for workers of their own",
                type(runner.backend).__name__,
            )
        unrecorded = runner.run()
        if unrecorded:
            raise Unavailable(
                f"the store did not record {unrecorded} outcomes; their jobs are rescued when leases expire"
            )


def _check_unused(runner: "tallystick.Runner", target: str) -> None:
    """Refuse a runner that its module started when it was imported; say it of one that was closed."""
    advice = 'put what a script does with it under `if __name__ == "__main__":`'
    if runner.running:
        runner.close()
        raise ConfigurationError(
            f"{target} was started already when its module was imported, and a worker starts it itself; {advice}"
        )
    if runner.closed:
        logger.warning(
            "%s was used and closed while its module was imported, as at each worker's start; %s", target, advice
        )


def _check_store(runner: "tallystick.Runner", target: str) -> None:
    if not runner.has_chosen_store:
        raise ConfigurationError(
            f"no store is chosen for {target}, and a worker on the default, memory://, would see no jobs of other "
            "processes; give --backend URL, set TALLYSTICK_BACKEND, or pass a URL to Runner(...), e.g. sqlite:///jobs.db"
        )


def load(target: str) -> "tallystick.Runner":
    """Return the runner that `module:attribute` names, or that the function there returns.

    Raises:
        ConfigurationError: there is none. What the application's own code raised was printed.
    """
    name, _, attribute = target.partition(":")
    if not name or not attribute:
        raise ConfigurationError(f"{target!r} is not module:attribute, e.g. app.jobs:runner")
    found = _attribute(_module(name), attribute)
    if callable(found) and not isinstance(found, tallystick.Runner):
        found = _called(found, target)
    if not isinstance(found, tallystick.Runner):
        raise ConfigurationError(f"{target} is of type {type(found).__name__}; it must be a tallystick.Runner")
    return found


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except Exception as exc:
        if isinstance(exc, ModuleNotFoundError) and f"{name}.".startswith(f"{exc.name}."):
            raise ConfigurationError(f"there is no module {exc.name} in {here} or on the Python path") from exc
        raise _shown(exc, f"importing {name}") from exc


def _attribute(module: ModuleType, path: str) -> object:
    try:
        return attrgetter(path)(module)
    except AttributeError as exc:
        raise ConfigurationError(f"module {module.__name__} has no attribute {path}") from exc


def _called(function: Callable[[], object], what: str) -> object:
    try:
        return function()
    except Exception as exc:
        raise _shown(exc, f"calling {what}") from exc


def _shown(exc: Exception, what: str) -> ConfigurationError:
    traceback.print_exception(exc)
    return ConfigurationError(f"{what} raised {type(exc).__name__}: {exc}")

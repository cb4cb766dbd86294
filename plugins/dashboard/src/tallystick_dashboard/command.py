"""`tallystick dashboard`: serve the dashboard of a store."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from tallystick import ConfigurationError
from tallystick.urls import redact

if TYPE_CHECKING:
    from tallystick import Runner

EPILOG = "\n".join(
    (
        "[bold]Examples[/bold]",
        "  $ tallystick dashboard sqlite:///jobs.db",
        "  $ tallystick dashboard app.jobs:runner --name staging --colour '#2f6f5e'",
        "  $ TALLYSTICK_DASHBOARD_TOKEN=... tallystick dashboard --host 0.0.0.0 --allow-host jobs.example.com",
    )
)

Target = Annotated[
    str | None,
    typer.Argument(metavar="[URL|MODULE:RUNNER]", help="The store, or the application's runner.", show_default=False),
]


def _option(help_: str, *names: str) -> Any:
    return typer.Option(*names, help=help_, show_default=False)


def serve(
    target: Target = None,
    *,
    host: Annotated[str | None, _option("Address to listen on; off loopback only with a token.")] = None,
    port: Annotated[int | None, _option("Port to listen on; 8642 by default, 0 for any free one.")] = None,
    control_host: Annotated[str | None, _option("Address of the control plane alone (JSON, health, metrics).")] = None,
    control_port: Annotated[int | None, _option("Port of the control plane alone.")] = None,
    name: Annotated[str | None, _option("Name of this instance, shown on every page.")] = None,
    colour: Annotated[str | None, _option("Colour of this instance, as #rrggbb.")] = None,
    language: Annotated[str | None, _option("en or de; by default the browser's.")] = None,
    read_only: Annotated[bool, _option("Reject every action.", "--read-only")] = False,
    hide_payloads: Annotated[bool, _option("Show no payloads, results and messages.", "--hide-payloads")] = False,
    allow_host: Annotated[list[str] | None, _option("A name by which users reach it.", "--allow-host")] = None,
    backend: Annotated[str | None, typer.Option(envvar="TALLYSTICK_BACKEND", metavar="URL", help="The store.")] = None,
) -> None:
    """Serve the dashboard of a store: pages, JSON, health and metrics.

    With a runner, the dashboard knows the registered jobs: you can enqueue them
    by hand, and fields that their types declare as secret are masked.

    Every option also has an environment variable TALLYSTICK_DASHBOARD_...; the
    secrets have only these: TOKEN, READ_TOKEN, BASIC (user:password).
    """
    from .server import run  # noqa: PLC0415  # only this command needs the server
    from .settings import DashboardSettings  # noqa: PLC0415

    given = {
        "host": host,
        "port": port,
        "control_host": control_host,
        "control_port": control_port,
        "name": name,
        "colour": colour,
        "language": language,
        "read_only": read_only or None,
        "can_see_payloads": False if hide_payloads else None,
        "allowed_hosts": tuple(allow_host) if allow_host else None,
    }
    settings = DashboardSettings(**{key: value for key, value in given.items() if value is not None})
    settings.check_addresses()
    source, shown = source_of(target, backend)
    run(source, settings, shown, typer.echo)


def source_of(target: str | None, backend: str | None) -> "tuple[Runner | str, str]":
    """Return the runner or the URL, and its name for people."""
    if target is None and backend is None:
        raise ConfigurationError(
            "no store was selected; pass a URL or module:runner, or set TALLYSTICK_BACKEND, e.g. sqlite:///jobs.db"
        )
    if target is None or "://" in target:
        url = target or backend or ""
        return url, redact(url)
    from tallystick import load_runner  # noqa: PLC0415  # the help of the command line does not need it

    runner = load_runner(target)
    if backend is not None and not runner.has_chosen_store:
        runner.configure(backend=backend)
    return runner, target

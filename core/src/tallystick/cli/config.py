"""`tallystick config show`: the settings of a runner, their values and where these come from."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from os import environ
from typing import Annotated, NamedTuple

import typer

from ..config.setting_sources import Source, sources
from ..config.settings import Settings
from ..messages.safe_repr import safe_repr
from ..runner.loading import load_runner
from ..runner.runner import Runner
from ..urls import redact
from . import show
from .options import Json, examples

app = typer.Typer(no_args_is_help=True, help="Show the settings, and where their values come from.")

Target = Annotated[
    str | None, typer.Argument(metavar="TARGET", help="module:attribute of a Runner.", show_default=False)
]


_CODE = ("retry", "codec")
"""The settings that only code can set."""


class Setting(NamedTuple):
    """A setting with its value, the source of the value, and the environment variable that can set it."""

    name: str
    value: object
    source: Source
    variable: str | None


@app.command(
    "show",
    epilog=examples(
        "tallystick config show",
        "tallystick config show app.jobs:runner",
        "tallystick config show app.jobs:runner --json | jq '.[] | select(.source != \"default\")'",
    ),
)
def config_show(ctx: typer.Context, target: Target = None, *, as_json: Json = False) -> None:
    """Show each setting: its value, the source of the value, its variable.

    The source is an argument of the Runner in your code, the environment, or
    the default. Options of "tallystick worker" override all of them. The last
    settings belong to that command only. Passwords in URLs are hidden.

    With --json: an array of objects with the keys name, value (lengths of time
    in seconds, null for no limit or none), source (argument, environment or
    default) and variable (null if the environment cannot set it).
    """
    settings = [*_of_runner(None if target is None else load_runner(target)), *_of_command(ctx)]
    if as_json:
        show.document([setting._asdict() | {"value": _plain(setting.value)} for setting in settings])
        return
    table = show.table("setting", "value", "source", "variable", narrow={"value": 12}, fold=("value",))
    for name, value, source, variable in settings:
        style = "dim" if source == "default" else ""
        words = (name, _words(name, value), source, variable or "-")
        table.add_row(*(show.text(show.one_line(word), style) for word in words))
    show.put(table)


def _of_runner(runner: Runner | None) -> list[Setting]:
    settings = Settings() if runner is None else runner.settings
    origins = sources(settings, ()) if runner is None else runner.setting_sources
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    values["codec"] = settings.codec and type(settings.codec).__name__  # its repr may show a key
    values["backend"] = redact(settings.backend) if runner is None else runner.store_name
    return [
        Setting(name, value, origins[name], None if name in _CODE else f"TALLYSTICK_{name.upper()}")
        for name, value in values.items()
    ]


def _of_command(ctx: typer.Context) -> Iterable[Setting]:
    """Return the settings that only `tallystick worker` has. They come from the environment, or are the defaults."""
    worker = ctx.find_root().command.commands["worker"].loaded  # type: ignore[attr-defined]  # the root is a group
    for option in worker.params:
        if option.envvar:
            given = environ.get(option.envvar)
            value = given or option.default
            yield Setting(option.name, value, "environment" if given else "default", option.envvar)


def _words(name: str, value: object) -> str:
    match value:
        case None:
            return "forever" if name.startswith("keep_") else "none"
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return "forever" if value == timedelta.max else f"{value.total_seconds():,.12g} s"
        case tuple():
            return ", ".join(value)
        case Mapping():
            return ", ".join(f"{queue}:{_words(name, each)}" for queue, each in value.items())
        case _:
            return value if isinstance(value, str) else safe_repr(value)


def _plain(value: object) -> object:
    match value:
        case timedelta():
            return value.total_seconds()
        case None | bool() | int() | str() | tuple():
            return value
        case Mapping():
            return {queue: _plain(each) for queue, each in value.items()}
        case _:
            return safe_repr(value)

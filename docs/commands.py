"""The page of the command line, made from the parser: every command with its options."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import typer
from tallystick.cli.app import ORDER, app
from tallystick.config.settings import Settings
from tallystick.hooks import plugins
from tallystick_conformance.command.app import conform_app

CONFORM: Any = typer.main.get_command(conform_app)
"""The commands of the kit, which `tallystick` loads on use."""

HEAD = """# Command line

Every command, with its arguments and options. `tallystick COMMAND --help` prints the same. [Operating](operating.md)
shows the commands in use, and has the exit codes.

A time is ISO 8601, in UTC unless it has an offset, or a span such as `90s`, `15m`, `2h` or `7d`. `NO_COLOR=1` or
`--no-color` turns colours off. On a terminal, tables fit its width. In a pipe, each row is one line,
and nothing is cut.
"""


def page() -> str:
    """Return the page."""
    return HEAD + "".join(f"\n{_section(path, command)}" for path, command in commands())


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command by its path, in the order of the help, with the commands of the installed plugins."""
    root: Any = typer.main.get_command(_with_plugins())
    yield "tallystick", root
    yield from _below(root, "tallystick")


def _with_plugins() -> typer.Typer:
    known = {*(info.name for info in app.registered_commands), *(info.name for info in app.registered_groups)}
    if "dashboard" not in known:
        plugins.installed().hooks.hook.tallystick_cli(app=app)
    return app


def _below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name in (
        sorted(group.commands, key=lambda name: (_position(name), name)) if path == "tallystick" else group.commands
    ):
        lazy = group.commands[name]
        command = CONFORM if f"{path} {name}" == "tallystick conform" else getattr(lazy, "loaded", lazy)
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from _below(command, f"{path} {name}")


def _position(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _section(path: str, command: Any) -> str:
    level = "#" * (2 + min(1, max(0, path.count(" ") - 1)))
    parts = [f"{level} {path}", _text(command.help or ""), _parameters(path, command), _examples(command.epilog or "")]
    return "\n\n".join(part for part in parts if part) + "\n"


def _text(help: str) -> str:
    """Return the help with its indented lists as code."""
    parts = []
    for paragraph in help.split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        if len(lines) > 1 and lines[1].startswith("  "):
            lines = [lines[0], "", "```text", *(line.strip() for line in lines[1:]), "```"]
        else:
            lines = [_code(line) for line in lines]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _parameters(path: str, command: Any) -> str:
    shown = [each for each in command.params if path == "tallystick" or "completion" not in each.name]
    rows = [_row(path, each) for each in shown if not getattr(each, "hidden", False)]
    return "\n".join(["| argument or option | | variable | default |", "|---|---|---|---|", *rows]) if rows else ""


def _row(path: str, parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    names = [*parameter.opts, *parameter.secondary_opts] if is_option else [parameter.metavar or parameter.name.upper()]
    value = "" if not is_option or parameter.is_flag else f" {_value(parameter)}"
    variable = f"`{found}`" if (found := _variable(path, parameter)) else ""
    default = f"`{parameter.default}`" if _has_default(parameter) else ""
    written = f"{', '.join(names)}{value}".replace("|", "\\|")
    return f"| `{written}` | {_cell(parameter.help or '')} | {variable} | {default} |"


def _variable(path: str, parameter: Any) -> str | None:
    """Return the environment variable of an option. An option of the worker that sets a setting has the setting's."""
    setting = next(
        (each for each in (parameter.name, *map(_field, parameter.opts)) if each in Settings.model_fields), None
    )
    if path == "tallystick worker" and setting:
        return f"TALLYSTICK_{setting.upper()}"
    return str(parameter.envvar) if parameter.envvar else None


def _field(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _value(parameter: Any) -> str:
    """Return the placeholder for the value of an option: its metavar, its choices or its type."""
    if parameter.metavar:
        return str(parameter.metavar)
    type_ = parameter.type_descriptor.annotation
    inner = [each for each in get_args(type_) if each is not NoneType] or [type_]
    if isinstance(inner[0], str):
        return " or ".join(inner)
    if isinstance(inner[0], type) and issubclass(inner[0], StrEnum):
        return " or ".join(inner[0])
    return {int: "N", float: "N", Path: "PATH"}.get(inner[0], "TEXT")


def _has_default(parameter: Any) -> bool:
    default = parameter.default
    return isinstance(default, str | int | float | Path) and not isinstance(default, bool) and default != ""


def _cell(text: str) -> str:
    return _code(" ".join(text.split()).replace("|", "\\|").replace("<", "\\<").replace("*", "\\*"))


def _code(text: str) -> str:
    """Mark options as code, unless they are."""
    return "".join(each if index % 2 else _OPTION.sub(r"`\g<0>`", each) for index, each in enumerate(_CODE.split(text)))


_CODE = re.compile(r"(`[^`]*`|\"tallystick [^\"]*\")")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def _examples(epilog: str) -> str:
    lines = [
        line.strip().removeprefix("$ ").replace("\\[", "[") for line in epilog.split("\n") if line.startswith("  $ ")
    ]
    if not lines:
        return _code(epilog)
    return "\n".join(["```console", *lines, "```"])


if __name__ == "__main__":
    print(page())

"""The options that select jobs. Several commands share them."""

from collections.abc import Callable
from datetime import datetime
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from ..contract.filters import Filter
from ..contract.state import State
from . import words
from .groups import note
from .times import parse_past

_PANEL = "Filter (you can repeat the options that have no time or text)"


def _option(type: Any, name: str, metavar: str, help: str, **more: Any) -> Any:
    return Annotated[type | None, typer.Option(name, metavar=metavar, help=help, rich_help_panel=_PANEL, **more)]


def _time(name: str, help: str) -> Any:
    return _option(datetime, name, "TIME", help, parser=parse_past)


def _parse_state(text: str) -> State:
    """Return a state by our word, or by a word that means the same elsewhere."""
    word = text.lower()
    if word in words.STATES:
        note(f"here, {text} is called {words.STATES[word]}")
        return words.STATES[word]
    try:
        return State(word)
    except ValueError:
        near = words.STATE_HINTS.get(word) or ", ".join(get_close_matches(word, State)) or ", ".join(State)
        raise typer.BadParameter(f"{text!r} is no state. Use: {near}") from None


FILTERS: dict[str, Any] = {
    "states": _option(
        list[State],
        "--state",
        "STATE",
        f"Only jobs in this state: {', '.join(State)}.",
        parser=_parse_state,
        autocompletion=lambda: [*State],
    ),
    "kinds": _option(list[str], "--kind", "KIND", "Only jobs of this kind."),
    "queues": _option(list[str], "--queue", "QUEUE", "Only jobs in this queue."),
    "tags": _option(list[str], "--tag", "TAG", "Only jobs with this tag."),
    "error_types": _option(list[str], "--error-type", "TYPE", "Only jobs whose last error has this type."),
    "error_text": _option(str, "--error-text", "TEXT", "Only jobs whose last error contains this text."),
    "workers": _option(list[str], "--worker", "NAME", "Only jobs whose latest attempt ran on this worker."),
    "unique_keys": _option(list[str], "--unique-key", "KEY", "Only jobs with this unique key."),
    "created_since": _time("--created-since", "Only jobs created at this time or later: ISO 8601, or an age as 2h."),
    "created_until": _time("--created-until", "Only jobs created before this time."),
    "finished_since": _time("--finished-since", "Only jobs that finished at this time or later."),
    "finished_until": _time("--finished-until", "Only jobs that finished before this time."),
}
"""The options by the field of `Filter` that they set."""


def with_filter(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the parameter `filter` of a command by the options that select jobs."""

    @wraps(command)
    def call(*args: Any, **given: Any) -> None:
        fields = {name: None if (value := given.pop(name)) == [] else value for name in FILTERS}
        command(*args, filter=Filter(**fields), **given)

    options = [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=FILTERS[name]) for name in FILTERS]
    own = signature(command)
    parameters = [
        each
        for parameter in own.parameters.values()
        for each in (options if parameter.name == "filter" else [parameter])
    ]
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # typer reads both
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call

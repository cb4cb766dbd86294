"""Servers for mutants: `{postgres}` in a mutant's URL stands for the URL of the server with that name."""

import os
import re
from collections.abc import Iterable, Mapping

from tallystick import ConfigurationError

FOLDER = "folder"
"""The placeholder for an empty folder, which every mutant may use."""

_PLACEHOLDER = re.compile(r"\{(?P<name>\w+)\}(?P<mark>[?&]?)")

_STORE = re.compile(r"\{?(?P<name>[\w.+-]+)")

_VARIABLE = re.compile(r"TALLYSTICK_TEST_(?P<name>\w+)_URL")


def given(options: Iterable[str] = ()) -> dict[str, str]:
    """Return the URLs of servers by name, from `TALLYSTICK_TEST_<NAME>_URL` and from options of the form `name=URL`.

    Raises:
        ConfigurationError: An option has another form.
    """
    found = {
        match["name"].lower(): url for name, url in os.environ.items() if url and (match := _VARIABLE.fullmatch(name))
    }
    for option in options:
        name, equals, url = option.partition("=")
        if not (name and equals and url):
            raise ConfigurationError(f"--server {name!r} has no URL or no name; write --server NAME=URL")
        found[name] = url
    return found


def needed(url: str) -> set[str]:
    """Return the names of the servers that a mutant's URL needs."""
    return {match["name"] for match in _PLACEHOLDER.finditer(url)} - {FOLDER}


def store(url: str) -> str:
    """Return the scheme of a mutant's URL, or the name of the server that it starts with."""
    match = _STORE.match(url)
    return match["name"] if match else ""


def filled(url: str, folder: str, servers: Mapping[str, str]) -> str:
    """Replace the placeholders in a mutant's URL; append the mutant's options to those of the server's URL.

    Raises:
        ConfigurationError: A server that it needs is missing.
    """
    if missing := needed(url) - servers.keys():
        raise ConfigurationError(why_not(missing))

    def fill(match: re.Match[str]) -> str:
        if match["name"] == FOLDER:
            return folder + match["mark"]
        server = servers[match["name"]]
        return server + (match["mark"] and ("&" if "?" in server else "?"))

    return _PLACEHOLDER.sub(fill, url)


def why_not(missing: Iterable[str]) -> str:
    """Describe the missing servers and how to pass their URLs."""
    names = sorted(missing)
    how = ", ".join(f"--server {name}=URL or TALLYSTICK_TEST_{name.upper()}_URL" for name in names)
    return f"no URL for the server {', '.join(names)}; pass {how}"

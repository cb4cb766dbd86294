"""Servers for mutants that need one: `{postgres}` in a mutant's URL stands for the URL of a server of that name."""

import os
import re
from collections.abc import Iterable, Mapping

from tallystick import ConfigurationError

FOLDER = "folder"
"""The placeholder of an empty folder, which every mutant has."""

_PLACEHOLDER = re.compile(r"\{(?P<name>\w+)\}(?P<mark>[?&]?)")

_STORE = re.compile(r"\{?(?P<name>[\w.+-]+)")

_VARIABLE = re.compile(r"TALLYSTICK_TEST_(?P<name>\w+)_URL")


def given(options: Iterable[str] = ()) -> dict[str, str]:
    """Return the URLs of servers by name: those of `TALLYSTICK_TEST_<NAME>_URL`, and of options written `name=URL`.

    Raises:
        ConfigurationError: an option is not written so.
    """
    found = {
        match["name"].lower(): url for name, url in os.environ.items() if url and (match := _VARIABLE.fullmatch(name))
    }
    for option in options:
        name, equals, url = option.partition("=")
        if not (name and equals and url):
            raise ConfigurationError(f"--server is {name!r} without a URL; write it as name=URL")
        found[name] = url
    return found


def needed(url: str) -> set[str]:
    """Return the names of the servers that a mutant's URL needs."""
    return {match["name"] for match in _PLACEHOLDER.finditer(url)} - {FOLDER}


def store(url: str) -> str:
    """Return the scheme of a mutant's URL, or the name of the server that it begins with."""
    match = _STORE.match(url)
    return match["name"] if match else ""


def filled(url: str, folder: str, servers: Mapping[str, str]) -> str:
    """Return a mutant's URL with what its placeholders stand for; options behind a server's URL join its own.

    Raises:
        ConfigurationError: a server that it needs is not given.
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
    """Say how to give servers that are missing."""
    names = sorted(missing)
    how = ", ".join(f"--server {name}=URL or TALLYSTICK_TEST_{name.upper()}_URL" for name in names)
    return f"no server is given for {', '.join(names)} ({how})"

"""Servers for mutants that need one: `{postgres}` in a mutant's URL stands for the URL of a server of that name."""

import os
import re
from collections.abc import Iterable, Mapping
from string import Formatter

from tallystick import ConfigurationError

FOLDER = "folder"
"""The placeholder of an empty folder, which every mutant has."""

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
    return {name for _, name, _, _ in Formatter().parse(url) if name} - {FOLDER}


def filled(url: str, folder: str, servers: Mapping[str, str]) -> str:
    """Return a mutant's URL with what its placeholders stand for.

    Raises:
        ConfigurationError: a server that it needs is not given.
    """
    if missing := needed(url) - servers.keys():
        raise ConfigurationError(why_not(missing))
    return url.format(**servers, folder=folder)


def why_not(missing: Iterable[str]) -> str:
    """Say how to give servers that are missing."""
    names = sorted(missing)
    how = ", ".join(f"--server {name}=URL or TALLYSTICK_TEST_{name.upper()}_URL" for name in names)
    return f"no server is given for {', '.join(names)} ({how})"

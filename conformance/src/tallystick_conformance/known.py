"""Known failures: clauses that a backend is known to break, each with a link to where that is told."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tallystick import ConfigurationError

from .clauses import CLAUSES
from .report import Result, Status

KnownFailures = Mapping[str, str]
"""Clause ids, and a link for each."""


def parsed(options: Iterable[str]) -> dict[str, str]:
    """Read `CLAIM-03=https://...`, as the command line is given it.

    Raises:
        ConfigurationError: It is not of that form, or there is no such clause.
    """
    known = {}
    for option in options:
        id, equals, link = option.partition("=")
        if not equals or not link:
            raise ConfigurationError(f"{option!r} names no link; write CLAUSE=LINK, e.g. CLAIM-03=https://...")
        known[id] = link
    return checked(known)


def checked(known: KnownFailures) -> dict[str, str]:
    """Return known failures as they are; refuse a clause that there is not.

    Raises:
        ConfigurationError: There is no such clause.
    """
    unknown = [id for id in known if id not in CLAUSES]
    if unknown:
        raise ConfigurationError(f"known failures name {', '.join(unknown)}; no clause is called so")
    return dict(known)


def applied(known: KnownFailures, result: Result) -> Result:
    """Return the result as it counts: a known failure that fails is `known`, and one that passes is an error."""
    link = known.get(result.clause_id)
    if link is None:
        return result
    if result.status in (Status.VIOLATED, Status.ERROR, Status.NOT_WRITTEN):
        return replace(result, status=Status.KNOWN, detail=f"known: {link}\n{result.detail}")
    if result.status is Status.PASSED:
        return replace(result, status=Status.ERROR, detail=f"it passes, so it is no known failure any more: {link}")
    return result

"""Known failures: clauses that a backend is known to break, each with a link."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tallystick import ConfigurationError

from ..contract.clauses import CLAUSES
from ..reports.result import Result, Status

KnownFailures = Mapping[str, str]
"""Clause ids, and a link for each."""


def parsed(options: Iterable[str]) -> dict[str, str]:
    """Parse options of the form `CLAIM-03=https://...`.

    Raises:
        ConfigurationError: An option has another form, or the clause does not exist.
    """
    known = {}
    for option in options:
        id, equals, link = option.partition("=")
        if not equals or not link:
            raise ConfigurationError(f"{option!r} has no link; write CLAUSE=LINK, such as CLAIM-03=https://...")
        known[id] = link
    return checked(known)


def checked(known: KnownFailures) -> dict[str, str]:
    """Return the known failures; reject a clause that does not exist.

    Raises:
        ConfigurationError: A clause does not exist.
    """
    unknown = [id for id in known if id not in CLAUSES]
    if unknown:
        raise ConfigurationError(
            f"known failures name clauses that do not exist: {', '.join(unknown)}; see tallystick conform --list"
        )
    return dict(known)


def applied(known: KnownFailures, result: Result) -> Result:
    """Return the adjusted result: a known failure that fails is `known`, and one that passes is an error."""
    link = known.get(result.clause_id)
    if link is None:
        return result
    if result.status in (Status.VIOLATED, Status.ERROR, Status.NOT_WRITTEN):
        return replace(result, status=Status.KNOWN, detail=f"known: {link}\n{result.detail}")
    if result.status is Status.PASSED:
        return replace(
            result, status=Status.ERROR, detail=f"the clause passes, so remove it from the known failures: {link}"
        )
    return result

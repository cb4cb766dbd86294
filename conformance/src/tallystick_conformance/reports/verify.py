"""Check that a report proves a backend: every core clause, and every clause of a declared capability, passed."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tallystick import CONTRACT_VERSION

from ..contract.clauses import CLAUSES, Clause
from ..harness.shares import Share, incomplete
from .document import SCHEMA, ClauseEntry, Document


def verified(path: Path) -> list[str]:
    """Return the reasons why a report does not prove its backend; empty if it does.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a JSON object.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise TypeError(f"it contains a {type(data).__name__}, not an object")
    return _of_versions(data) or _of_form(data) or reasons(Document.model_validate(data))


def _of_versions(data: dict[str, Any]) -> list[str]:
    found = (("schema", SCHEMA), ("contract", CONTRACT_VERSION))
    return [
        f"{name} is {data.get(name)!r}; this kit verifies version {version}"
        for name, version in found
        if data.get(name) != version
    ]


def _of_form(data: dict[str, Any]) -> list[str]:
    try:
        Document.model_validate(data)
    except ValidationError as exc:
        return [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors(include_url=False)]
    return []


def reasons(document: Document) -> list[str]:
    """Return the reasons why a valid document does not prove its backend."""
    return [*_of_the_run(document), *_of_the_clauses(document)]


def _of_the_run(document: Document) -> Iterator[str]:
    if document.interrupted:
        yield "the run was interrupted"
    if missing := incomplete(_shares(document)):
        yield missing
    if document.partial:
        yield f"only {len(document.clauses)} of {len(CLAUSES)} clauses were selected"
    counts = Counter(entry.id for entry in document.clauses)
    yield from (f"{id} occurs {times} times" for id, times in counts.items() if times > 1)
    yield from (f"{id} is not a clause of this kit" for id in counts if id not in CLAUSES)
    yield from (f"the capability {name} is missing" for name in _LEVELS - document.capabilities.keys())


def _shares(document: Document) -> Iterator[Share]:
    for entry in document.clauses:
        yield from (Share(share.what, share.tried, share.planned) for share in entry.shares or ())


_LEVELS = {clause.level for clause in CLAUSES.values()} - {"core"}


def _of_the_clauses(document: Document) -> Iterator[str]:
    entries = {entry.id: entry for entry in document.clauses}
    for clause in CLAUSES.values() if not document.partial else ():
        why = _why(clause, entries.get(clause.id), declared=bool(document.capabilities.get(clause.level)))
        if why:
            yield f"{clause.id} ({clause.level}) {why}: {clause.text}"


def _why(clause: Clause, entry: ClauseEntry | None, *, declared: bool) -> str:
    if clause.level != "core" and not declared:
        return ""
    if entry is None:
        return "is missing"
    if entry.status == "passed" or (entry.status == "not run" and clause.level != "core"):
        return ""
    return f"is a known failure: {entry.detail}" if entry.status == "known" else f"is {entry.status}"

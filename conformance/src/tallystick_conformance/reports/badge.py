"""`badge.json`: the badge as a shields.io endpoint."""

import json

from .document import Document
from .verify import reasons


def written(document: Document) -> str:
    """Return the badge as JSON."""
    message, color = _message(document)
    badge = {
        "schemaVersion": 1,
        "label": f"tallystick contract {document.contract}",
        "message": message,
        "color": color,
    }
    return json.dumps(badge, indent=2) + "\n"


def _message(document: Document) -> tuple[str, str]:
    failed = sum(entry.status in ("violated", "error", "not written") for entry in document.clauses)
    if failed:
        return f"{failed} failed", "red"
    if not reasons(document):
        return f"conforms ({document.profile})", "brightgreen"
    return "interrupted" if document.interrupted else "incomplete", "yellow"

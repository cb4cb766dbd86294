"""Bugs in restores: tags that are not indexed, payloads that are lost, and records that are committed one by one."""

from tallystick_conformance import Mutant

from ..patch import SQLITE

edited = SQLITE.edited

_RESTORE = "cursor.execute(queries.restore, parameters)"
_PARTS = "add_parts(cursor, queries, parameters)"
_COMMIT = "connection.commit(); cursor.execute(queries.begin_write)"

MUTANTS: tuple[Mutant, ...] = (
    edited("restores without tags", "RESTORE-05", "restoring.restore",
           _PARTS, _PARTS.replace("parameters", "{**parameters, 'tags': '[]'}")),
    edited("restores without large payloads", "PAYLOAD-03", "restoring.restore",
           _PARTS, _PARTS.replace("parameters", "{**parameters, 'large_payload': None}")),
    edited("commits each restored record", "CRASH-07", "restoring.restore", _RESTORE, f"{_RESTORE}; {_COMMIT}", "",
           "Each record of a restore is committed by itself."),
)  # fmt: skip

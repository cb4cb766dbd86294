"""Bugs in restores: tags that are not indexed, and records that are committed one by one."""

from tallystick_conformance import Mutant

from ..patch import SQLITE

edited = SQLITE.edited

_RESTORE = "connection.execute(queries.restore, parameters)"
_COMMIT = "connection.commit(); connection.execute(queries.begin_write)"

MUTANTS: tuple[Mutant, ...] = (
    edited("restores without tags", "RESTORE-05", "restoring.restore", "if one.record.tags:", "if False:"),
    edited("commits each restored record", "CRASH-07", "restoring.restore", _RESTORE, f"{_RESTORE}; {_COMMIT}", "",
           "Each record of a restore is committed by itself."),
)  # fmt: skip

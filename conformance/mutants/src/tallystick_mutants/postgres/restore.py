"""Bugs in restores: keys that are lost, and duplicates that fail."""

from tallystick_conformance import Mutant

from ..patch import POSTGRES

edited, patched = POSTGRES.edited, POSTGRES.patched

MUTANTS: tuple[Mutant, ...] = (
    edited("restores keys that nothing holds", "RESTORE-03", "restoring._columns", "one.held_key for", "None for", "",
           "A restored record does not hold its unique key."),
    patched("restores errors as one", "RESTORE-01", "restore", "string_to_array(errors, E'\\n')", "ARRAY[errors]", "",
            "The errors of a restored record are stored as one."),
)  # fmt: skip

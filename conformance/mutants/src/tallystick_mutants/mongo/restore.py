"""Bugs in restores: states and errors that documents lose."""

from tallystick_conformance import Mutant

from ..patch import MONGO

edited = MONGO.edited

MUTANTS: tuple[Mutant, ...] = (
    edited("reveals the restored as new", "RESTORE-01", "documents.restored", "record.state.value", "'pending'", "",
           "Each restored record becomes pending when its batch is revealed."),
    edited("restores errors that no filter finds", "RESTORE-05", "documents.restored", "described(record.last_error)",
           "{}", "", "The fields by which filters find errors are missing in restored records."),
)  # fmt: skip

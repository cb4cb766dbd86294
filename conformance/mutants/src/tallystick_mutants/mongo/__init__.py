"""The mutants of the MongoDB backend. They need a server: `tallystick conform mutants --module` runs only these."""

from tallystick_conformance import Mutant

from . import advance, claim, insert, payload, query, restore, settle, setup, unique

MUTANTS: tuple[Mutant, ...] = (
    *payload.MUTANTS,
    *claim.MUTANTS,
    *insert.MUTANTS,
    *restore.MUTANTS,
    *settle.MUTANTS,
    *unique.MUTANTS,
    *query.MUTANTS,
    *advance.MUTANTS,
    *setup.MUTANTS,
)

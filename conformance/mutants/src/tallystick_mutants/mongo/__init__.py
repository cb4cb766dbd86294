"""The mutants of the MongoDB backend. They need a server: `tallystick conform mutants --module` runs only these."""

from tallystick_conformance import Mutant

from . import advance, claim, insert, payload, query, settle, setup

MUTANTS: tuple[Mutant, ...] = (
    *payload.MUTANTS,
    *claim.MUTANTS,
    *insert.MUTANTS,
    *settle.MUTANTS,
    *query.MUTANTS,
    *advance.MUTANTS,
    *setup.MUTANTS,
)

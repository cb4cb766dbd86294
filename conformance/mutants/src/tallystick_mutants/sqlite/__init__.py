"""The mutants of the SQLite backend."""

from tallystick_conformance import Mutant

from . import cap, cap_interrupts, cap_undeclared, claim, crash, leak, query, registers, restore, settle, setup, unique

MUTANTS: tuple[Mutant, ...] = (
    *claim.MUTANTS,
    *settle.MUTANTS,
    *unique.MUTANTS,
    *query.MUTANTS,
    *registers.MUTANTS,
    *restore.MUTANTS,
    *cap.MUTANTS,
    *cap_undeclared.MUTANTS,
    *setup.MUTANTS,
    *leak.MUTANTS,
    *crash.MUTANTS,
    *cap_interrupts.MUTANTS,
)

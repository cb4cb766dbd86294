"""The mutants of the PostgreSQL backend. They need a server: `tallystick conform mutants --module` runs only these."""

from tallystick_conformance import Mutant

from . import cap, claim, fault, insert, restore, settle, setup, stats, tick, time, unique, wait

MUTANTS: tuple[Mutant, ...] = (
    *claim.MUTANTS,
    *insert.MUTANTS,
    *restore.MUTANTS,
    *settle.MUTANTS,
    *stats.MUTANTS,
    *cap.MUTANTS,
    *fault.MUTANTS,
    *wait.MUTANTS,
    *setup.MUTANTS,
    *time.MUTANTS,
    *tick.MUTANTS,
    *unique.MUTANTS,
)

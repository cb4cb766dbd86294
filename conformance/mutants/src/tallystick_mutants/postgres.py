"""The mutants of the PostgreSQL backend. They need a server: `tallystick conform mutants --module` runs only these."""

from tallystick_conformance import Mutant

from . import (
    postgres_claims,
    postgres_connections,
    postgres_counts,
    postgres_ends,
    postgres_inserts,
    postgres_lengths,
    postgres_openings,
    postgres_transactions,
    postgres_waits,
)

MUTANTS: tuple[Mutant, ...] = (
    *postgres_claims.MUTANTS,
    *postgres_inserts.MUTANTS,
    *postgres_ends.MUTANTS,
    *postgres_counts.MUTANTS,
    *postgres_transactions.MUTANTS,
    *postgres_connections.MUTANTS,
    *postgres_waits.MUTANTS,
    *postgres_openings.MUTANTS,
    *postgres_lengths.MUTANTS,
)

"""The mutants that the kit ships: `windlass conform mutants` runs them.

To add one, subclass or patch a backend so that it has one bug, and append to a module's `MUTANTS`:

    Mutant("claims before due", "CLAIM-02", "A claim does not look at run_at.", "B1", lambda: ClaimsBeforeDue)

A mutant, and nothing else in the kit, may import the plugin that it patches; so this package is imported only by those
who run mutants.
"""

from . import memory_claims, memory_ends, memory_inserts, memory_queries

SHIPPED = (*memory_inserts.MUTANTS, *memory_claims.MUTANTS, *memory_ends.MUTANTS, *memory_queries.MUTANTS)

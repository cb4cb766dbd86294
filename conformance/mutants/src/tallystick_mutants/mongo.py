"""The mutants of the MongoDB backend. They need a server: `tallystick conform mutants --module` runs only these."""

from tallystick_conformance import Mutant

from . import mongo_claims, mongo_documents, mongo_ends, mongo_inserts, mongo_openings, mongo_queries

MUTANTS: tuple[Mutant, ...] = (
    *mongo_documents.MUTANTS,
    *mongo_claims.MUTANTS,
    *mongo_inserts.MUTANTS,
    *mongo_ends.MUTANTS,
    *mongo_queries.MUTANTS,
    *mongo_openings.MUTANTS,
)

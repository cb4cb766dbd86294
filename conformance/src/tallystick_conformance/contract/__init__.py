"""The contract as the kit reads it: the clauses, the sentences that they test, and an independent model."""

"""Bugs in setup, and in the mapping of the driver's errors."""

from tallystick_conformance import Mutant

from ..patch import MONGO

broken, edit, edited = MONGO.broken, MONGO.edit, MONGO.edited

_INDEXES = "store.jobs.create_indexes(list(INDEXES))"
_OTHERS = """store.schedules.create_indexes(list(REGISTER_INDEXES["schedules"]))
    store.meters.create_indexes(list(REGISTER_INDEXES["meters"]))"""
_ONE_BY_ONE = "for index in INDEXES:\n        store.jobs.create_indexes([index])"
_VERSION = """with suppress(DuplicateKeyError):
        store.store.update_one(STORE, {"$setOnInsert": {"version": VERSION}}, upsert=True)"""
_ANEW = 'store.store.delete_one(STORE); store.store.insert_one({**STORE, "version": VERSION})'


MUTANTS: tuple[Mutant, ...] = (
    edited("writes the version anew", "SETUP-05", "schema._make", _VERSION, _ANEW, "L2",
           "The version is deleted and inserted again, so concurrent setups fail."),
    broken("says the version first", "CRASH-05",
           "The version is written before the indexes, so another setup that finds it does not create them.", "L1",
           edit("schema._make", {
               f"{_INDEXES}\n    {_OTHERS}\n    {_VERSION}": f"{_VERSION}\n    {_ONE_BY_ONE}\n    {_OTHERS}"
           })),
    edited("lets the driver's errors through", "FAULT-01", "errors.mapped",
           "(errors.PyMongoError, BSONError, OverflowError)", "BSONError", "",
           "The driver's errors are not mapped to the contract's."),
    edited("takes the absent for the lost", "FAULT-01", "errors.ours", "kind, text = ",
           "kind, text = isinstance(exc, errors.ServerSelectionTimeoutError) and (OutcomeUnknown, 'was lost') or ",
           "M1", "A server that cannot be reached raises OutcomeUnknown."),
)  # fmt: skip

"""Bugs in filters, pages, counts, retention and waits."""

from tallystick_conformance import Mutant

from ..patch import MONGO

edited = MONGO.edited

MUTANTS: tuple[Mutant, ...] = (
    edited("fits any of the fields", "FILTER-01", "queries.fitting", '{"$and": [condition, *fields]}',
           '{"$and": [condition, {"$or": fields}]}', "F8", "A filter matches records that match any of its fields."),
    edited("begins with the last", "QUERY-03", "queries.among", '{"$lt": below}', '{"$lte": below}', "E1"),
    edited("counts whatever is past", "STATS-04", "queries.counts", '{"$in": ["$state", sorted(CLAIMABLE)]}, ', "",
           "E4", "Running and finished jobs are counted as due."),
    edited("finds the oldest in any state", "STATS-05", "queries.counts",
           '{"$cond": [is_due, "$run_at", None]}', '"$run_at"', "G8", "oldest_due includes jobs of any state."),
    edited("purges the last moment", "PURGE-01", "queries.finished", '"$lt": before', '"$lte": before', "I4"),
    edited("cuts before to milliseconds", "PURGE-01", "backend.MongoBackend.purge", "call.before",
           "calls.rounded_down(before, _CAPABILITIES.time_precision)", "B5",
           "Jobs that finished less than a millisecond before the cut-off are kept."),
    edited("purges one page", "PURGE-02", "deleting._purge_in_parts", "limit -= removed", "return", "I2",
           "A purge stops after its first command."),
    edited("waits for the paused", "WAIT-04", "backend.MongoBackend._seconds_until_due", "unpaused(queues, seen)",
           "queues", "M2", "A wait returns True for a due job of a paused queue."),
    edited("sleeps to the end", "WAIT-03", "backend.MongoBackend._seconds_until_due", "if due is None",
           "if due is None or due > seen.now", "M2",
           "A wait lasts until its timeout although a job becomes due."),
    edited("leaves out equal times", "PAGE-04", "queries.behind", ', {"_id": {later: id}}', "", "E1",
           "A page omits the records with the time of the last record of the page before."),
    edited("updates whatever differs", "UPDATE-02", "updates.differing", '"state": WAITING, ', "", "D8",
           "update changes running and finished jobs, too."),
    edited("counts one above the limit", "COUNT-01", "paging.count", "limit=call.at_most", "limit=call.at_most + 1",
           "E1"),
)  # fmt: skip

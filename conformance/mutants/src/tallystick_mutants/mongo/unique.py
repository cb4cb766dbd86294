"""Bugs in unique keys: the guards of a change, what a claim compares, and times."""

from tallystick_conformance import Mutant

from ..patch import MONGO

broken, edited, put = MONGO.broken, MONGO.edited, MONGO.put

_WITHOUT_TIMES = {"$cond": [{"$eq": ["$unique_until", "purged"]}, "$held_key", "$$REMOVE"]}

MUTANTS: tuple[Mutant, ...] = (
    edited("replaces whatever it found", "SCHED-09", "queries.held_by", ', "state": WAITING', "", "",
           "A holder is changed by id and key, even if it was claimed since it was found."),
    broken("claims what was there before a replace", "SCHED-09",
           "A claim does not compare the mark of a replace, so it returns the payload that it found.", "",
           put("claiming._GUARDED", lambda names: names[:-1])),
    edited("starts and holds on to the key", "UNIQUE-06", "claiming._take", "frees_key=frees_key", "frees_key=False"),
    broken("ends a time with the job", "UNIQUE-07", "The end of a job releases a key that is held for a time.", "",
           put("updates.KEY_AFTER_THE_END", lambda _: _WITHOUT_TIMES)),
    edited("frees a time a tick late", "UNIQUE-07", "insert_or_find._holding", "at <= now", "at < now"),
    edited("replaces the job that it found", "CONFLICT-05", "meeting._again", "seen.get(new.unique_key, result.record)",
           "result.record", "", "A later record of a batch meets the holder as it was before the batch."),
    edited("requeues, and frees no time", "REQUEUE-04", "requeueing.requeue", "free=free", "", "",
           "A requeue is rejected by the index although the other job's time has passed."),
)  # fmt: skip

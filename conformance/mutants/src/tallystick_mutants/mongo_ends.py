"""Bugs of ends: fences without an attempt, and what a call saw before it changed something."""

from tallystick_conformance import Mutant

from .mongo_patch import broken, edited, put

_CURRENT = "queries.current(claim.attempt)"
_FOUND = '("state", "attempt", "lease_until", "cancel_requested")'

MUTANTS: tuple[Mutant, ...] = (
    edited("ends any attempt", "SETTLE-06", "settling.settle", _CURRENT, '{"state": State.RUNNING}', "D1",
           "The guard of a settle has no attempt in it."),
    edited("ends what has ended", "SETTLE-06", "settling.settle", _CURRENT, '{"attempt": claim.attempt}', "D8",
           "The guard of a settle has no state in it."),
    edited("extends whatever runs", "LEASE-02", "extending.extend", _CURRENT, '{"state": "running"}', "D4",
           "The guard of an extend has no attempt in it."),
    edited("forgets the flag", "SETTLE-09", "queries.put_off", '"$cancel_requested"', "False", "D10",
           "A retry does not look whether a cancellation was requested."),
    broken("frees what is kept", "UNIQUE-04",
           "The field that holds a key is removed at the end, whatever `unique_until` is.", "F5",
           put("queries.KEY_AFTER_THE_END", lambda _: "$$REMOVE")),
    broken("holds what ended", "UNIQUE-03", "The field that holds a key is kept after the end.", "F2",
           put("queries.KEY_AFTER_THE_END", lambda _: {"$ifNull": ["$held_key", "$$REMOVE"]})),
    edited("rescues whatever it found", "SCHED-02", "rescuing._as_found", _FOUND, "()", "D2",
           "Expired attempts are found, and then ended by id, whatever they are by then."),
    edited("rescues what is held anew", "SCHED-02", "rescuing._as_found", _FOUND, '("state", "attempt")', "J7",
           "A lease that was extended since it was found expired does not stop a rescue."),
    edited("rescues without end", "RESCUE-03", "rescuing._end",
           'or document["attempt"] >= document["max_attempts"]', "", "K4", "A rescue does not look at max_attempts."),
    edited("changes whatever fitted", "SCHED-06", "bulk.change", "Change(id, fitting, update)",
           "Change(id, {}, update)", "D14",
           "What fitted a filter when it was looked for is changed, whatever it is by then."),
    broken("leaves what runs alone", "CANCEL-04", "A cancel of a job that runs is ignored.", "D10",
           put("queries.CANCELLABLE", lambda either: either["$or"][0])),
    edited("requeues and takes no key", "REQUEUE-04", "queries.requeued", '"held_key": KEY,', "", "F1",
           "A job that is requeued does not take its key again, so no index refuses it."),
)  # fmt: skip

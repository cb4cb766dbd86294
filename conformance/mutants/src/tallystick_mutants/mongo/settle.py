"""Bugs in ending attempts: guards that are too weak, and changes based on outdated reads."""

from tallystick_conformance import Mutant

from ..patch import MONGO

broken, edited, put = MONGO.broken, MONGO.edited, MONGO.put

_CURRENT = "queries.current(claim.attempt)"
_FOUND = '("state", "attempt", "lease_until", "cancel_requested")'

_TAKES = '{"$cond": [{"$or": [has_started, has_passed]}, ABSENT, KEY]}'

MUTANTS: tuple[Mutant, ...] = (
    edited("ends any attempt", "SETTLE-06", "settling.settle", _CURRENT, '{"state": State.RUNNING}', "D1",
           "The guard of settle ignores the attempt."),
    edited("ends what has ended", "SETTLE-06", "settling.settle", _CURRENT, '{"attempt": claim.attempt}', "D8",
           "The guard of settle ignores the state."),
    edited("extends whatever runs", "LEASE-02", "extending.extend", _CURRENT, '{"state": "running"}', "D4",
           "The guard of extend ignores the attempt."),
    edited("reports for whatever runs", "PROGRESS-02", "reporting.report", _CURRENT, '{"state": "running"}', "",
           "The guard of report_progress ignores the attempt."),
    edited("keeps progress of attempts", "PROGRESS-04", "updates.claimed", ', "progress": ""', "", "",
           "A claim does not clear the progress."),
    edited("forgets the flag", "SETTLE-09", "updates.put_off", '"$cancel_requested"', "False", "D10",
           "A Retry ignores a requested cancellation."),
    broken("frees what is kept", "UNIQUE-04",
           "The end of a job releases its key, whatever `unique_until` is.", "F5",
           put("updates.KEY_AFTER_THE_END", lambda _: "$$REMOVE")),
    broken("holds what ended", "UNIQUE-03", "The end of a job does not release its key.", "F2",
           put("updates.KEY_AFTER_THE_END", lambda _: {"$ifNull": ["$held_key", "$$REMOVE"]})),
    edited("rescues whatever it found", "SCHED-02", "rescuing._as_found", _FOUND, "()", "D2",
           "Expired attempts are ended by id, even if they have changed since they were found."),
    edited("rescues what is held anew", "SCHED-02", "rescuing._as_found", _FOUND, '("state", "attempt")', "J7",
           "A rescue ends an attempt whose lease was extended after it was found."),
    edited("rescues without end", "RESCUE-03", "rescuing._end",
           'or document["attempt"] >= document["max_attempts"]', "", "K4", "A rescue ignores max_attempts."),
    edited("changes whatever fitted", "SCHED-06", "bulk._changed", "Change(id, guard, update)",
           "Change(id, {}, update)", "D14",
           "Records are changed by id, even if they no longer satisfy the filter."),
    broken("leaves what runs alone", "CANCEL-04", "cancel ignores running jobs.", "D10",
           put("queries.CANCELLABLE", lambda either: either["$or"][0])),
    edited("requeues and takes no key", "REQUEUE-04", "updates.requeued", _TAKES, "ABSENT", "F1",
           "A requeued job does not take its key again, so the index does not reject it."),
    edited("keeps one error more", "ERRORS-03", "updates._appended", "-ERRORS_KEPT", "-ERRORS_KEPT - 1", "",
           "A record keeps the latest 21 errors."),
    edited("rescues without a trace", "ERRORS-01", "updates.rescued", ", **_appended(entry)", "", "",
           "A rescue sets last_error and appends nothing to errors."),
)  # fmt: skip

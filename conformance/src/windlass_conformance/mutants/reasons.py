"""Clauses of the core that no mutant is named after, each with the reason."""

_HISTORY = "it judges whole histories; the same bugs are mutants of the clauses on single calls, races and schedules"
_SCHEDULE = "the same bugs are mutants of RACE, which threads find by luck and schedules without"

REASONS = {
    "SETUP-05": "memory has nothing to create, and SQLite's setup is one transaction; SETUP-07 has the mutant",
    "SETUP-06": "it is about the URL of a plugin as it is installed, which a mutant is not",
    "SCHED-03": _SCHEDULE,
    "SCHED-04": _SCHEDULE,
    "SCHED-05": _SCHEDULE,
    "SCHED-07": _SCHEDULE,
    "SCHED-08": _SCHEDULE,
    "LEAK-01": "what leaks is the process's, and is tested with backends made to leak",
    "LEAK-02": "what leaks is the process's, and is tested with backends made to leak",
    "LEAK-03": "what leaks is the process's, and is tested with backends made to leak",
    **{f"HISTORY-{n:02}": _HISTORY for n in range(1, 15)},
}

"""Bugs in schedules and meters: advances without a fence, and jobs that never become visible."""

from tallystick_conformance import Mutant

from ..patch import MONGO

broken, edit, edited, put = MONGO.broken, MONGO.edit, MONGO.edited, MONGO.put

MUTANTS: tuple[Mutant, ...] = (
    broken("fires without a fence", "RACE-15",
           "An advance compares the revision before it stages the jobs, and never again.", "A1",
           put("register_queries.begun", lambda _: lambda found: {"_id": found["_id"]}),
           edit("advancing._is_fired", {'{"_id": moved.name, "staging": batch}': '{"_id": moved.name}'})),
    broken("forgets what it committed", "CRASH-06",
           "An advance whose client died is not finished, so its jobs stay hidden.", "H2",
           put("schedules.finish_fired", lambda _: lambda store: None)),
    edited("meters the last call", "RACE-18", "register_queries.added", '{"$inc": numbers}',
           '{"$set": names | numbers}', "F8", "A call of `meter` replaces the numbers of the call before."),
)  # fmt: skip

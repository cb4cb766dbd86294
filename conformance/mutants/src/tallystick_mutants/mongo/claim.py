"""Bugs in claims: the guard of an update, and how a claim finds out what it changed."""

from tallystick_conformance import Mutant

from ..patch import MONGO

broken, edit, edited, put = MONGO.broken, MONGO.edit, MONGO.edited, MONGO.put

_GUARD = "guard = {name: document.get(name) for name in _GUARDED}"

_AGAIN = "return store.jobs.bulk_write(updates, ordered=False).modified_count"
_ALL = """
    if made == len(changes):
        return [True] * len(changes)
"""
_ALL_OR_NONE = """
    if made in (0, len(changes)):
        return [made > 0] * len(changes)
"""

MUTANTS: tuple[Mutant, ...] = (
    edited("takes whatever it found", "SCHED-01", "claiming._take", _GUARD, "guard = {}", "A1",
           "Due jobs are updated by id, even if they have changed since they were found."),
    edited("takes by an old attempt", "SCHED-01", "claiming._take", "_GUARDED", '("state",)', "D5",
           "A job that was claimed and released since it was found gets the same attempt again."),
    edited("takes some for all", "SCHED-01", "guarded_writes._apply", "if made == len(changes):",
           "if made:", "A1", "If some updates of a bulk took effect, the claim counts all as done."),
    edited("takes some for the first", "LEASE-02", "guarded_writes._apply", "[value in found for value in marks]",
           "[n < len(found) for n in range(len(marks))]", "H4",
           "The claim assumes that the first updates of a bulk took effect."),
    edited("claims a page", "CLAIM-06", "claiming._claim_in_parts", "wanted = min(limit, _PAGE)", "wanted = _PAGE",
           "A4"),
    edited("claims queue by queue", "CLAIM-05", "claiming._first", "sorted(found, key=order_found)[:limit]",
           "found[:limit]", "G5", "The results of several finds are not merged in claiming order."),
    broken("finds by time", "CLAIM-05", "The sort order has run_at before priority.", "G1",
           put("queries.CLAIMING_ORDER", lambda _: [("due", 1), ("priority", -1), ("_id", 1)])),
    edited("opens paused queues", "CLAIM-04", "server_state.read_state", 'bool(queue.get("paused"))', "False", "E4",
           "A claim ignores that queues are paused."),
    edited("finds the future", "CLAIM-02", "queries.due", ', "$lte": now', "", "B1",
           "A job is due if it has the field `due`, whatever its value."),
    edited("finds by the clock of the server", "TIME-01", "backend.MongoBackend.claim",
           "call.at(seen.now)", "call._replace(given=None).at(seen.now)", "B7",
           "A claim uses the server's clock instead of the given now."),
    edited("claims one page", "CLAIM-07", "claiming._claim_in_parts", "if len(taken) == len(found) < wanted:",
           "if True:", "A11", "A claim searches for due jobs only once, and returns what it got."),
    broken("writes again blindly", "FAULT-03",
           "A claim whose reply was lost is repeated, changes nothing, and no worker gets the jobs.", "M10",
           edit("guarded_writes._write", {"return None": _AGAIN}),
           edit("guarded_writes._apply", {_ALL: _ALL_OR_NONE})),
)  # fmt: skip

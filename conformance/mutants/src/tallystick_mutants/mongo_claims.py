"""Bugs of claims: what stands in the guard of an update, and by what a claim knows its own."""

from tallystick_conformance import Mutant

from .mongo_patch import broken, edit, edited, put

_GUARD = 'guard = {name: document.get(name) for name in ("state", "attempt", "due", "updated_at")}'

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
           "Due jobs are found, and then updated by id, whatever they are by then."),
    edited("takes by an old attempt", "SCHED-01", "claiming._take", '("state", "attempt", "due", "updated_at")',
           '("state",)', "D5", "A job that was claimed and released since it was found has the same attempt again."),
    edited("takes some for all", "SCHED-01", "guarded_writes._apply", "if made == len(changes):",
           "if made:", "A1", "A bulk that changed some is taken to have changed all."),
    edited("takes some for the first", "LEASE-02", "guarded_writes._apply", "[value in found for value in marks]",
           "[n < len(found) for n in range(len(marks))]", "H4",
           "The server tells how many of a bulk took effect, and they are taken to be the first."),
    edited("claims a page", "CLAIM-06", "claiming.claim", "wanted = min(limit, _PAGE)", "wanted = _PAGE", "A4"),
    edited("claims queue by queue", "CLAIM-05", "claiming._first", "sorted(found, key=order_found)[:limit]",
           "found[:limit]", "G5", "What searches of many queues found is taken in the order of the searches."),
    broken("finds by time", "CLAIM-05", "run_at is sorted before priority, and the first of that are claimed.", "G1",
           put("queries.CLAIMING_ORDER", lambda _: [("due", 1), ("priority", -1), ("_id", 1)])),
    edited("opens paused queues", "CLAIM-04", "server_state.read_state", 'bool(queue.get("paused"))', "False", "E4",
           "A claim does not look which of its queues are paused."),
    edited("finds the future", "CLAIM-02", "queries.due", ', "$lte": now', "", "B1",
           "What is due is what has the field, whatever it says."),
    edited("finds by the clock of the server", "TIME-01", "backend.MongoBackend.claim",
           "seen.now if now is None else rounded_down(validation.utc(now))", "seen.now", "B7",
           "A claim goes by the server's clock, and not by the now that it was given."),
    edited("claims one page", "CLAIM-07", "claiming.claim", "if len(taken) == len(found) < wanted:", "if True:", "A11",
           "A claim looks for due jobs once, and ends with what it got of them."),
    broken("writes again blindly", "FAULT-03",
           "A claim whose answer was lost is written again, takes nothing, and nobody has its jobs.", "M10",
           edit("guarded_writes._write", {"return None": _AGAIN}),
           edit("guarded_writes._apply", {_ALL: _ALL_OR_NONE})),
)  # fmt: skip

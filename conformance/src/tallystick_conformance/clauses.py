"""The clauses: each promise of the contract as one sentence with an id that stays.

`tier` says how a clause is tested: `model` by generated programs, `race` by threads or processes, the rest by examples;
`level` is `core`, or the capability that a backend declares.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tallystick import ConfigurationError

Tier = Literal["model", "payload", "name", "time", "refusal", "batch", "query", "wait", "store", "capability", "cost",
               "race", "schedule", "history", "crash", "fault", "leak"]  # fmt: skip
Level = Literal["core", "durable", "multi_process", "notify", "transactions"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the contract."""

    id: str
    tier: Tier
    text: str
    level: Level = "core"


_ALL = (
    Clause("CALL-01", "model", "A valid call is answered; it raises nothing."),
    Clause("CALL-02", "model", "Answers are of the declared types, and their datetimes are in UTC."),
    Clause("RECORD-01", "model", "A call changes the records that it is about, and no other."),
    Clause("RECORD-02", "model", "No record appears or disappears but by insert, delete and purge."),
    Clause("RECORD-03", "model", "updated_at is the now of the latest call that changed the record."),
    Clause("INSERT-01", "model", "A new job is stored as given: pending, with attempt 0, created and updated at now."),
    Clause("INSERT-02", "model", "run_at is the given moment, or now plus the given delay, or now."),
    Clause("INSERT-03", "model", "An insert answers once for each record, in order: what was stored or the duplicate."),
    Clause("INSERT-04", "model", "A record whose id is stored already is a duplicate; the id is looked at first."),
    Clause("UNIQUE-01", "model", "A record whose unique key is held is a duplicate of the holder, and is not stored."),
    Clause("UNIQUE-02", "model", "A record counts as stored for those behind it in the same batch."),
    Clause("UNIQUE-03", "model", "A key held until `finished` is free as soon as the job has ended, in whatever way."),
    Clause("UNIQUE-04", "model", "A key held until `purged` is held as long as the record is kept."),
    Clause("UNIQUE-05", "model", "A key is one for the whole store, whatever the queue and kind; None is no key."),
    Clause("CLAIM-01", "model", "Only jobs that are pending or retrying are handed out."),
    Clause("CLAIM-02", "model", "No job is handed out before its run_at."),
    Clause("CLAIM-03", "model", "Jobs are handed out from the queues asked for only."),
    Clause("CLAIM-04", "model", "No job of a paused queue is handed out, retrying ones included."),
    Clause("CLAIM-05", "model", "Jobs are handed out by priority (higher first), then run_at, then id as bytes."),
    Clause("CLAIM-06", "model", "A claim returns at most `limit` jobs, and none twice."),
    Clause("CLAIM-07", "model", "A claim never returns fewer jobs than it could."),
    Clause("CLAIM-08", "model", "A claimed job is running, attempt + 1, worker and attempted_at set; all else kept."),
    Clause("CLAIM-09", "model", "A claim's lease ends at now + lease."),
    Clause("TIME-01", "model", "A job is due from its run_at on, that moment included."),
    Clause("TIME-02", "model", "A lease has run out from lease_until on, that moment included."),
    Clause("LEASE-01", "model", "Extending a current claim answers HELD, and its lease ends at now + lease."),
    Clause("LEASE-02", "model", "Extending a claim that is not current answers LOST, and changes nothing."),
    Clause("LEASE-03", "model", "Extending a claim of a job to be cancelled answers CANCEL_REQUESTED, and holds it."),
    Clause("LEASE-04", "model", "A lease that ran out but was not rescued is held again."),
    Clause("LEASE-05", "model", "An extend answers once for each claim, in the order given."),
    Clause("SETTLE-01", "model", "Complete ends a job as completed with its result, finished now, without a lease."),
    Clause("SETTLE-02", "model", "Retry makes a job retrying, due at its run_at, with the error; the rest is kept."),
    Clause("SETTLE-03", "model", "Discard ends a job as discarded with the error, finished now, without a lease."),
    Clause("SETTLE-04", "model", "Release makes a job pending with max_attempts + 1; attempt is kept."),
    Clause("SETTLE-05", "model", "Cancel ends a job as cancelled, finished now, without a lease."),
    Clause("SETTLE-06", "model", "An outcome whose claim is not current is refused, and changes nothing."),
    Clause("SETTLE-07", "model", "A settle answers once for each outcome, in the order given."),
    Clause("SETTLE-08", "model", "The first of two outcomes for one claim wins, in one batch too."),
    Clause("SETTLE-09", "model", "Retry or Release of a job that is to be cancelled ends it as cancelled."),
    Clause("SETTLE-10", "model", "Complete, Discard and Cancel end a job alike when its cancellation was requested."),
    Clause("RESCUE-01", "model", "Only running jobs whose lease has run out are rescued."),
    Clause("RESCUE-02", "model", "A rescued job is retrying, due now, with LEASE_EXPIRED as its error."),
    Clause("RESCUE-03", "model", "A rescued job that has used up max_attempts is discarded."),
    Clause("RESCUE-04", "model", "A rescued job whose cancellation was requested is cancelled."),
    Clause("RESCUE-05", "model", "A rescue takes every expired job, up to `limit`, none twice."),
    Clause("QUERY-01", "model", "get and list return each record as it is stored; get leaves out what is not there."),
    Clause("QUERY-02", "model", "list returns all that fit, up to `limit`, newest first: by id as bytes, descending."),
    Clause("QUERY-03", "model", "list with `after` returns records whose id is lower, and not that record."),
    Clause("QUERY-04", "query", "Paging by the last id of the page before reaches each record once."),
    Clause("FILTER-01", "model", "A filter fits records that fit every field given; an empty collection fits none."),
    Clause("STATS-01", "model", "stats counts each record once, in the total and in its state; no state is left out."),
    Clause("STATS-02", "model", "stats counts the records of each kind that has records."),
    Clause("STATS-03", "model", "stats counts the records of each known queue, also at zero."),
    Clause("STATS-04", "model", "stats counts as due what could be claimed now were its queue not paused."),
    Clause("STATS-05", "model", "oldest_due is the least run_at of a queue's due jobs, or None."),
    Clause("CANCEL-01", "model", "cancel ends jobs that wait as cancelled, finished now."),
    Clause("CANCEL-02", "model", "cancel flags jobs that run; they stay running."),
    Clause("CANCEL-03", "model", "cancel leaves alone what is final or flagged already."),
    Clause("CANCEL-04", "model", "cancel changes every job that fits, up to `limit`, and returns the ids changed."),
    Clause("REQUEUE-01", "model", "requeue makes a job pending, due now; finished_at, result and flag are cleared."),
    Clause("REQUEUE-02", "model", "requeue raises max_attempts so that one attempt is left, and never lowers it."),
    Clause("REQUEUE-03", "model", "requeue leaves alone what is pending or running."),
    Clause("REQUEUE-04", "model", "requeue leaves alone a job whose key another holds; of several with one key, one."),
    Clause("REQUEUE-05", "model", "requeue changes every job that fits, up to `limit`, and returns the ids changed."),
    Clause("DELETE-01", "model", "delete leaves alone what is running."),
    Clause("DELETE-02", "model", "delete removes every record that fits, up to `limit`, and returns the ids removed."),
    Clause("PURGE-01", "model", "purge removes only records in the given states with finished_at < before."),
    Clause("PURGE-02", "model", "purge removes every such record, up to `limit`, and returns how many."),
    Clause("QUEUE-01", "model", "A queue is known from its first insert or pause, and from then on."),
    Clause("QUEUE-02", "model", "queues returns the known queues by name, and whether each is paused."),
    Clause("QUEUE-03", "model", "Pausing and resuming twice is harmless; resuming an unknown queue leaves it unknown."),
    Clause("INSERT-05", "batch", "Repeating an insert is harmless, whatever became of its jobs meanwhile."),
    Clause("BATCH-01", "batch", "An empty batch is answered with nothing."),
    Clause("BATCH-02", "batch", "A large batch, up to max_batch items, is accepted whole, its answers in order."),
    Clause("BATCH-03", "batch", "More than max_batch items are refused with InvalidArgument, and nothing is done."),
    Clause("BATCH-04", "batch", "A batch with one refused item is refused whole, and nothing of it is done."),
    Clause("PAYLOAD-01", "payload", "A payload is kept exactly, whatever its bytes."),
    Clause("PAYLOAD-02", "payload", "A result is kept exactly, whatever its bytes; an empty one is not None."),
    Clause(
        "PAYLOAD-03", "payload", "A payload and a result of exactly max_payload_bytes are kept; so is a large batch."
    ),
    Clause(
        "PAYLOAD-04", "payload", "One byte more than max_payload_bytes is refused as PayloadTooLarge; nothing is done."
    ),
    Clause("PAYLOAD-05", "payload", "A failure's text is kept exactly, NUL and lone surrogates included."),
    Clause("NAME-01", "name", "A kind, queue, worker, unique key or tag of any printable characters is kept exactly."),
    Clause("NAME-02", "name", "Names that differ in anything, case and trailing spaces included, are different."),
    Clause("NAME-03", "name", "Names with a meaning in a query language are plain text: stored, found, no harm done."),
    Clause("TIME-03", "time", "Aware times of any zone mean the same moment, and come back in UTC."),
    Clause("TIME-04", "time", "A naive datetime is refused with InvalidArgument by every call that takes one."),
    Clause("TIME-05", "time", "A far time is kept to the declared precision, or refused with InvalidArgument."),
    Clause("TIME-06", "time", "A due time is rounded up to time_precision, never down."),
    Clause("TIME-07", "time", "With now=None the time is the backend's own clock."),
    Clause("TIME-08", "time", "A delay or lease that ends after the year 9999 is refused with InvalidArgument."),
    Clause("TIME-09", "time", "Each call goes by its own now: clocks of clients may differ, and go back."),
    Clause("TIME-10", "time", "The zone of the process changes nothing."),
    Clause("TIME-11", "time", "A moment that a call writes is exact to time_precision."),
    Clause(
        "TIME-12", "time", "A length of time is elapsed time: a day is 24 hours in any zone, over any change of clocks."
    ),
    Clause("REFUSE-01", "refusal", "A limit below 1 is refused with InvalidArgument, and nothing is done."),
    Clause("REFUSE-02", "refusal", "A lease of zero or less is refused with InvalidArgument, and nothing is done."),
    Clause("REFUSE-03", "refusal", "purge refuses a state that is not final with InvalidArgument; nothing is done."),
    Clause("REFUSE-04", "refusal", "A bad worker or queue name is refused with InvalidArgument, and nothing is done."),
    Clause("REFUSE-05", "refusal", "A string or a single item in place of a batch is refused with InvalidArgument."),
    Clause("REFUSE-06", "refusal", "A claim of an attempt below 0 or above 2**63 - 1 is refused with InvalidArgument."),
    Clause("WAIT-01", "wait", "wait returns False at its timeout when nothing is due."),
    Clause("WAIT-02", "wait", "wait returns True at once when something is due."),
    Clause("WAIT-03", "wait", "wait returns True as soon as a future job becomes due."),
    Clause("WAIT-04", "wait", "wait does not return early for a job whose queue is paused or not asked for."),
    Clause("WAIT-05", "wait", "wait returns True soon after another client's insert.", "notify"),
    Clause("WAIT-06", "wait", "wait returns True soon after another client makes a job due in any way.", "notify"),
    Clause("WAIT-07", "wait", "wait returns True soon after an insert through the same client."),
    Clause("SETUP-01", "store", "setup again changes nothing."),
    Clause("SETUP-02", "store", "After teardown, setup starts afresh; teardown again is harmless."),
    Clause("SETUP-03", "store", "Stores of two namespaces are separate."),
    Clause("SETUP-04", "store", "Clients of one store see each other's writes."),
    Clause("SETUP-05", "store", "Eight clients may set a store up at once."),
    Clause("SETUP-06", "store", "A malformed URL, an unknown option and a bad namespace raise ConfigurationError."),
    Clause("SETUP-07", "store", "Eight processes may set a store up at once.", "multi_process"),
    Clause("SETUP-08", "store", "setup of a store in use changes nothing for those who use it."),
    Clause("SETUP-09", "store", "Opening creates nothing: until setup a store is empty, or calls raise NotSetUp."),
    Clause("SETUP-10", "store", "A file that is no store raises ForeignStore at setup; no call reads or changes it."),
    Clause("SETUP-11", "store", "Processes of one store see each other's writes.", "multi_process"),
    Clause("CLOSE-01", "store", "Closing again is harmless; any other call then raises Closed."),
    Clause("CLOSE-02", "store", "Closing wakes every wait: with False, or with Closed."),
    Clause("CLOSE-03", "store", "Closing a client leaves the store, and its other clients, as they are."),
    Clause("CLOSE-04", "store", "A call that meets a close is answered, raises Closed and did nothing, or is unknown."),
    Clause("FORK-01", "store", "In a forked child an inherited client raises Closed; the parent's client works on."),
    Clause("FORK-02", "store", "A client that a forked child opens works, whatever its parent does.", "multi_process"),
    Clause("DURABLE-01", "store", "What was stored is there when every client was closed.", "durable"),
    Clause("CAP-01", "capability", "A transaction is refused as Unsupported where not declared, and nothing is done."),
    Clause("CAP-04", "capability", "Capabilities are the same for each client, and make sense."),
    Clause(
        "CAP-05", "capability", "Where durable is not declared, a store opened anew has calls whole, or not at all."
    ),
    Clause("CAP-06", "capability", "Where multi_process is not declared, another process does no harm."),
    Clause("CAP-07", "capability", "Where notify is not declared, a wait ends at its timeout at the latest."),
    Clause("CAP-02", "capability", "Jobs inserted in a transaction are there when it commits.", "transactions"),
    Clause("CAP-03", "capability", "Jobs inserted in a transaction never were when it rolls back.", "transactions"),
    Clause("CAP-08", "capability", "Attempts settled in a transaction have ended when it commits.", "transactions"),
    Clause("CAP-09", "capability", "Attempts settled in a transaction go on when it rolls back.", "transactions"),
    Clause("CAP-10", "capability", "A claim that is not current is refused in a transaction too.", "transactions"),
    Clause("COST-01", "cost", "A claim's cost does not grow with the backlog, with future jobs or finished ones."),
    Clause("RACE-01", "race", "Of clients that claim at once, each job goes to one; none is lost."),
    Clause("RACE-02", "race", "Of threads that claim through one client at once, each job goes to one; none is lost."),
    Clause("RACE-03", "race", "Of outcomes that race for one claim, one is applied."),
    Clause("RACE-04", "race", "Of rescues that race, each expired job goes to one."),
    Clause("RACE-05", "race", "Of a settle and a rescue that race, one wins; an extend is held only before the end."),
    Clause("RACE-06", "race", "Of inserts that race for a unique key, one wins; the others are told the holder."),
    Clause("RACE-07", "race", "Of inserts that race with one id, one is stored."),
    Clause("RACE-08", "race", "Of a claim and a cancel that race, neither is forgotten."),
    Clause("RACE-09", "race", "Of requeues that race for one job, one changes it."),
    Clause("RACE-10", "race", "Of processes that claim at once, each attempt goes to one.", "multi_process"),
    Clause("RACE-11", "race", "Processes forked beside an open client share a store as others do.", "multi_process"),
    Clause(
        "RACE-12", "race", "Calls about the same jobs in opposite orders, and keys in opposite orders, are answered."
    ),
    Clause(
        "SCHED-01",
        "schedule",
        "However the steps of claims interleave, each job goes to one, and none is left or overtaken.",
    ),
    Clause("SCHED-02", "schedule", "However settle, extend and rescue interleave, an attempt ends once."),
    Clause("SCHED-03", "schedule", "A rescue, settle or extend that meets the next attempt leaves it alone."),
    Clause("SCHED-04", "schedule", "However inserts, ends and requeues interleave, a unique key has one holder."),
    Clause("SCHED-05", "schedule", "A cancel that interleaves with claim, settle, rescue or requeue is not forgotten."),
    Clause("SCHED-06", "schedule", "A delete or purge that interleaves with other calls removes nothing that runs."),
    Clause("SCHED-07", "schedule", "Once pause has returned, no claim that begins hands out a job of that queue."),
    Clause("SCHED-08", "schedule", "However the steps of two or three workers interleave, some order explains it."),
    Clause("CRASH-01", "crash", "What was answered before its process died is stored.", "durable"),
    Clause("CRASH-02", "crash", "Of an insert whose process dies all jobs are stored, or none is.", "durable"),
    Clause("CRASH-03", "crash", "Of a call whose process dies each job is as before, or as after.", "durable"),
    Clause("CRASH-04", "crash", "A process that dies in a call holds nothing up for others.", "durable"),
    Clause("CRASH-05", "crash", "A setup whose process dies can be repeated.", "durable"),
    Clause("FAULT-01", "fault", "A store that cannot be reached is Unavailable; nothing happened.", "multi_process"),
    Clause("FAULT-02", "fault", "A request that is lost takes effect once, or never.", "multi_process"),
    Clause("FAULT-03", "fault", "An answer that is lost is OutcomeUnknown, or asked for again.", "multi_process"),
    Clause("FAULT-04", "fault", "A call on a connection that is silent ends within a minute.", "multi_process"),
    Clause("FAULT-05", "fault", "On a slow connection every call is answered as on a fast one.", "multi_process"),
    Clause("FAULT-06", "fault", "After the network was cut, a wait is woken by another client again.", "notify"),
    Clause("FAULT-07", "fault", "A claim that stands still holds no other claim up.", "multi_process"),
    Clause(
        "FAULT-08", "fault", "A lost answer is not told as Unavailable where a rescue came in between.", "multi_process"
    ),
    Clause("LEAK-01", "leak", "A client that is closed leaves no thread and no file descriptor behind."),
    Clause("LEAK-02", "leak", "Calls that were refused leave no thread and no file descriptor behind."),
    Clause("LEAK-03", "leak", "A wait whose client is closed leaves no thread and no file descriptor behind."),
    Clause(
        "LEAK-04", "leak", "A call that found nothing, or was refused, holds nothing: others may tear the store down."
    ),
    Clause("LEAK-05", "leak", "Calls that fail use up nothing: once the store is there, the client works."),
    Clause("HISTORY-01", "history", "R1: the attempts of a record rise by one, and none is handed out twice."),
    Clause("HISTORY-02", "history", "R2: an attempt begins only after the end of the one before."),
    Clause("HISTORY-03", "history", "R3: each attempt ends at most once."),
    Clause("HISTORY-04", "history", "R4: an attempt is held and settled only while it runs, and not refused then."),
    Clause("HISTORY-05", "history", "R5: nothing but a requeue follows a final state."),
    Clause("HISTORY-06", "history", "R6: no job is handed out before it is due, whoever moved it meanwhile."),
    Clause("HISTORY-07", "history", "R7: a call takes only what it asks for, and nothing from a paused queue."),
    Clause("HISTORY-08", "history", "R8: an answer has at most `limit` items, and none twice."),
    Clause("HISTORY-09", "history", "R9: a claim or rescue with room left leaves nothing that no other call touched."),
    Clause("HISTORY-10", "history", "R10: a claim follows the order, and where none overlaps, overtakes nothing."),
    Clause("HISTORY-11", "history", "R11: no job is lost, and none is doubled."),
    Clause("HISTORY-12", "history", "R12: what is read and counted is what was stored, at some moment of the call."),
    Clause("HISTORY-13", "history", "R13: a unique key has one holder, and only that one keeps others out."),
    Clause("HISTORY-14", "history", "R14: a rescue takes only what has expired, extended leases included."),
)

CLAUSES = {clause.id: clause for clause in _ALL}
"""Every clause by its id, in the order in which they are run."""


def family(clause_id: str) -> str:
    """Return what a clause's id begins with. One cause often breaks several clauses of a family."""
    return clause_id.partition("-")[0]


def selected(names: Iterable[str]) -> list[str]:
    """Return the clauses that are named, by id or by family (`CLAIM`), in the order in which they are run.

    Raises:
        ConfigurationError: There is neither a clause nor a family of a name.
    """
    asked = set(names)
    if unknown := asked - {known for id in CLAUSES for known in (id, family(id))}:
        raise ConfigurationError(f"no clause or family of clauses is called {', '.join(sorted(unknown))}; see --list")
    return [id for id in CLAUSES if id in asked or family(id) in asked]

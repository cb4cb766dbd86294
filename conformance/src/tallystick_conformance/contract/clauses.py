"""The clauses: the testable statements of the contract. The id of a clause never changes.

The `tier` of a clause is the way in which the kit tests it: `model` with generated programs, `race` with threads or
processes, and other tiers with examples. Its `level` is `core`, or the capability that a backend must declare.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tallystick import ConfigurationError

Tier = Literal["model", "payload", "name", "time", "refusal", "batch", "query", "wait", "store", "capability", "cost",
               "race", "schedule", "history", "crash", "fault", "leak"]  # fmt: skip
Level = Literal["core", "durable", "multi_process", "notify", "transactions", "error_text"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One testable statement of the contract."""

    id: str
    tier: Tier
    text: str
    level: Level = "core"


_ALL = (
    Clause("CALL-01", "model", "A valid call returns a value and raises nothing."),
    Clause("CALL-02", "model", "Return values have the declared types, and their datetimes are in UTC."),
    Clause("RECORD-01", "model", "A call changes only the records that it is about."),
    Clause("RECORD-02", "model", "Only insert, advance and restore add records; only delete and purge remove them."),
    Clause("RECORD-03", "model", "updated_at is the now of the latest call that changed the record."),
    Clause("INSERT-01", "model", "A new job is stored as given: pending, with attempt 0, created and updated at now."),
    Clause("INSERT-02", "model", "run_at is the given datetime, now plus the given delay, or now."),
    Clause(
        "INSERT-03", "model", "insert returns one result for each record, in order: the new record or its duplicate."
    ),
    Clause("INSERT-04", "model", "A record with a stored id is a duplicate; the id is checked before the unique key."),
    Clause("UNIQUE-01", "model", "A record whose unique key is held is a duplicate of the holder, and is not stored."),
    Clause("UNIQUE-02", "model", "An earlier record of the same batch counts as stored."),
    Clause("UNIQUE-03", "model", "A unique key held until `finished` is free as soon as the job is final."),
    Clause("UNIQUE-04", "model", "A unique key held until `purged` is held as long as the record exists."),
    Clause("UNIQUE-05", "model", "A unique key covers the whole store, across queues and kinds; None is no key."),
    Clause("UNIQUE-06", "model", "A unique key held until `started` is free from the first claim on, for good."),
    Clause("UNIQUE-07", "model", "A unique key held for a time is held in every state, and free from its end on."),
    Clause("UNIQUE-08", "time", "A time that had passed when a job named the key is over, also for an earlier now."),
    Clause("CONFLICT-01", "model", "`replace` sets payload, tags and meta of a waiting holder, and nothing else."),
    Clause("CONFLICT-02", "model", "`debounce` also sets run_at, at most to created_at + `debounce_max`."),
    Clause("CONFLICT-03", "model", "A holder that does not wait, or has another kind, stays as it is."),
    Clause("CONFLICT-04", "model", "A duplicate by id stays as it is, whatever its policy is."),
    Clause("CONFLICT-05", "model", "A record of a batch meets the holder as the earlier records left it."),
    Clause("CLAIM-01", "model", "Only pending and retrying jobs are claimed."),
    Clause("CLAIM-02", "model", "No job is claimed before its run_at."),
    Clause("CLAIM-03", "model", "Jobs are claimed only from the given queues."),
    Clause("CLAIM-04", "model", "No job of a paused queue is claimed, not even a retrying one."),
    Clause("CLAIM-05", "model", "Jobs are claimed by priority (higher first), then run_at, then id as bytes."),
    Clause("CLAIM-06", "model", "A claim returns at most `limit` jobs, and no job twice."),
    Clause("CLAIM-07", "model", "A claim returns every eligible job, up to `limit`."),
    Clause(
        "CLAIM-08",
        "model",
        "A claimed job is running, with attempt + 1, worker and attempted_at; the rest is unchanged.",
    ),
    Clause("CLAIM-09", "model", "The lease of a claim ends at now + lease."),
    Clause("TIME-01", "model", "A job is due at its run_at and later."),
    Clause("TIME-02", "model", "A lease is expired at lease_until and later."),
    Clause("LEASE-01", "model", "Extending a current claim returns HELD, and its lease ends at now + lease."),
    Clause("LEASE-02", "model", "Extending a stale claim returns LOST, and changes nothing."),
    Clause(
        "LEASE-03", "model", "Extending a claim with a requested cancellation returns CANCEL_REQUESTED, and extends it."
    ),
    Clause("LEASE-04", "model", "An expired lease that was not rescued can be extended."),
    Clause("LEASE-05", "model", "extend returns one result for each claim, in the order given."),
    Clause("SETTLE-01", "model", "Complete makes a job completed with its result, finished now, without a lease."),
    Clause(
        "SETTLE-02", "model", "Retry makes a job retrying, due at its run_at, with the error; the rest is unchanged."
    ),
    Clause("SETTLE-03", "model", "Discard makes a job discarded with the error, finished now, without a lease."),
    Clause("SETTLE-04", "model", "Release makes a job pending with max_attempts + 1; attempt is unchanged."),
    Clause("SETTLE-05", "model", "Cancel makes a job cancelled, finished now, without a lease."),
    Clause("SETTLE-06", "model", "An outcome with a stale claim is rejected, and changes nothing."),
    Clause("SETTLE-07", "model", "settle returns one result for each outcome, in the order given."),
    Clause("SETTLE-08", "model", "The first of two outcomes for one claim wins, also within one batch."),
    Clause("SETTLE-09", "model", "Retry or Release of a job with a requested cancellation makes it cancelled."),
    Clause("SETTLE-10", "model", "Complete, Discard and Cancel work the same if cancellation was requested."),
    Clause("RESCUE-01", "model", "Only running jobs with an expired lease are rescued."),
    Clause("RESCUE-02", "model", "A rescued job is retrying, due now, with LEASE_EXPIRED as its error."),
    Clause("RESCUE-03", "model", "A rescued job without attempts left is discarded."),
    Clause("RESCUE-04", "model", "A rescued job with a requested cancellation is cancelled."),
    Clause("RESCUE-05", "model", "A rescue returns every expired job, up to `limit`, and no job twice."),
    Clause("QUERY-01", "model", "get and list return records as they are stored; get omits ids that are not stored."),
    Clause("QUERY-02", "model", "list returns all matching records, up to `limit`, by id as bytes, descending."),
    Clause("QUERY-03", "model", "list with `after` returns only records with a lower id."),
    Clause("QUERY-04", "query", "Paging with the last id of the previous page reaches each record once."),
    Clause(
        "FILTER-01", "model", "A filter matches records that match every given field; an empty collection matches none."
    ),
    Clause("COUNT-01", "model", "count returns the number of matching records, or at_most if there are more."),
    Clause(
        "PAGE-01", "model", "list by finished_at returns only final jobs, the latest first, then by id, descending."
    ),
    Clause("PAGE-02", "model", "list by run_at returns only waiting jobs, the earliest first, then by id, ascending."),
    Clause("PAGE-03", "model", "list by a time returns only records behind the time and id of `after`."),
    Clause("PAGE-04", "query", "Paging with the time and id of the last record reaches each record once."),
    Clause("ERRORS-01", "model", "Retry, Discard and rescue append the attempt's error to `errors`."),
    Clause("ERRORS-02", "model", "Only get returns errors; the records of other calls have none."),
    Clause(
        "PROGRESS-01", "model", "A report of a current claim sets its progress, with now as its time; the last stays."
    ),
    Clause("PROGRESS-02", "model", "A report of a stale claim returns False, and changes nothing."),
    Clause("PROGRESS-03", "model", "report_progress returns one bool for each report, in the order given."),
    Clause("PROGRESS-04", "model", "The end of an attempt keeps its progress; the next claim clears it."),
    Clause("PROGRESS-05", "model", "Only get returns progress; the records of other calls have none."),
    Clause(
        "STATS-01", "model", "stats counts each record once, in the total and in its state; each state has a count."
    ),
    Clause("STATS-02", "model", "stats counts the records of each kind that has records."),
    Clause("STATS-03", "model", "stats counts the records of each known queue, even at zero."),
    Clause("STATS-04", "model", "stats counts the due jobs of each queue, even if the queue is paused."),
    Clause("STATS-05", "model", "oldest_due is the lowest run_at of a queue's due jobs, or None."),
    Clause("STATS-06", "model", "stats counts the records of each queue by state, even at zero."),
    Clause("CANCEL-01", "model", "cancel makes waiting jobs cancelled, finished now."),
    Clause("CANCEL-02", "model", "cancel sets cancel_requested on running jobs; they stay running."),
    Clause("CANCEL-03", "model", "cancel skips final jobs and jobs with cancel_requested."),
    Clause(
        "CANCEL-04", "model", "cancel changes every other matching job, up to `limit`, and returns the changed ids."
    ),
    Clause(
        "REQUEUE-01",
        "model",
        "requeue makes a job pending, due now; it clears finished_at, result and cancel_requested.",
    ),
    Clause("REQUEUE-02", "model", "requeue raises max_attempts to leave one attempt, and never lowers it."),
    Clause("REQUEUE-03", "model", "requeue skips pending and running jobs."),
    Clause(
        "REQUEUE-04",
        "model",
        "requeue skips a job whose key another job holds; of several with one key, it changes one.",
    ),
    Clause(
        "REQUEUE-05", "model", "requeue changes every other matching job, up to `limit`, and returns the changed ids."
    ),
    Clause(
        "REQUEUE-06",
        "model",
        "A job that no longer holds its key is requeued without it, even if another job holds it.",
    ),
    Clause("DELETE-01", "model", "delete skips running jobs."),
    Clause(
        "DELETE-02", "model", "delete removes every other matching record, up to `limit`, and returns the removed ids."
    ),
    Clause("UPDATE-01", "model", "update sets the given run_at, priority and queue; the rest is unchanged."),
    Clause("UPDATE-02", "model", "update skips jobs that do not wait, and jobs that have the given values already."),
    Clause(
        "UPDATE-03", "model", "update changes every other matching job, up to `limit`, and returns the changed ids."
    ),
    Clause("PURGE-01", "model", "purge removes only records in the given states with finished_at < before."),
    Clause("PURGE-02", "model", "purge removes every such record, up to `limit`, and returns how many."),
    Clause("PURGE-03", "model", "purge removes only records of the given kinds that finished at `since` or later."),
    Clause("RESTORE-01", "model", "A restored record is stored with every field, in any state, and with its errors."),
    Clause(
        "RESTORE-02",
        "model",
        "restore returns one result for each record, in order; one with a stored id changes nothing.",
    ),
    Clause("QUEUE-01", "model", "The first insert, update, restore or pause makes a queue known, for good."),
    Clause("QUEUE-02", "model", "queues returns the known queues sorted by name, and whether each is paused."),
    Clause(
        "QUEUE-03", "model", "Repeated pause and resume have no effect; an unknown queue stays unknown after resume."
    ),
    Clause(
        "TICK-01", "model", "put_schedules stores a new schedule as given, with revision 1, and returns it in order."
    ),
    Clause("TICK-02", "model", "A put with an equal definition, or with the same `declared`, changes nothing."),
    Clause(
        "TICK-03",
        "model",
        "Any other put replaces the definition; only a new rule, zone, start or end moves next_tick.",
    ),
    Clause("TICK-04", "model", "schedules returns the named schedules, or all, sorted by name."),
    Clause(
        "TICK-05", "model", "due_schedules returns the schedules that fire, by next_tick, then name, up to `limit`."
    ),
    Clause("TICK-06", "model", "advance inserts the job of each tick, unless its id is stored or its key is held."),
    Clause(
        "TICK-07",
        "model",
        "An advance with another revision, a future or repeated tick, or a tick while paused is rejected.",
    ),
    Clause("TICK-08", "model", "An applied advance sets next_tick, last_tick and paused, and raises revision by 1."),
    Clause("TICK-09", "model", "advance returns one result for each advance, in the order given."),
    Clause("TICK-10", "model", "remove_schedules removes the named schedules, and returns their names; the jobs stay."),
    Clause(
        "TICK-12",
        "model",
        "A new schedule begins with the last_tick, paused and created_at of its put; a stored one keeps its own.",
    ),
    Clause("BEAT-01", "model", "beat stores a worker in place of its earlier beat; workers are sorted by name."),
    Clause("BEAT-02", "model", "A beat with a ttl of zero removes the worker."),
    Clause("BEAT-03", "model", "beat removes the workers whose ttl ended more than a day ago, and no others."),
    Clause("METER-01", "model", "meter adds to the minutes; meters returns their sums by step, queue and kind."),
    Clause("METER-02", "model", "meter drops and removes the minutes that began more than seven days ago."),
    Clause("INSERT-05", "batch", "Repeating an insert has no effect, in whatever state its jobs are by then."),
    Clause("BATCH-01", "batch", "An empty batch returns an empty result."),
    Clause("BATCH-02", "batch", "A batch of up to max_batch items is accepted, and its results are in order."),
    Clause("BATCH-03", "batch", "More than max_batch items raise InvalidArgument without effect."),
    Clause("BATCH-04", "batch", "A batch with one invalid item is rejected as a whole."),
    Clause("PAYLOAD-01", "payload", "A payload of any bytes is kept unchanged."),
    Clause("PAYLOAD-02", "payload", "A result of any bytes is kept unchanged; an empty one is not None."),
    Clause(
        "PAYLOAD-03",
        "payload",
        "A payload or result of max_payload_bytes is kept, and so is a batch of large payloads.",
    ),
    Clause("PAYLOAD-04", "payload", "One byte more than max_payload_bytes raises PayloadTooLarge without effect."),
    Clause("PAYLOAD-05", "payload", "The text of a failure is kept unchanged, including NUL and lone surrogates."),
    Clause("META-01", "payload", "The meta of a job is kept unchanged, and every call returns it."),
    Clause("PROGRESS-06", "payload", "A progress keeps its fraction exactly, and a message of any characters."),
    Clause("ERRORS-03", "payload", "errors keeps the latest 20 errors, oldest first."),
    Clause(
        "ERRORS-04",
        "payload",
        "An error keeps the start of its type and message, and the end of its traceback, with any characters.",
    ),
    Clause("TICK-11", "payload", "The text, bytes and times of a schedule are kept unchanged, and so are its jobs."),
    Clause("BEAT-04", "payload", "The description of a worker is kept unchanged."),
    Clause("METER-03", "payload", "Large counts and sums, and any names, are kept unchanged in meters."),
    Clause(
        "NAME-01", "name", "A kind, queue, worker, unique key or tag of any printable characters is kept unchanged."
    ),
    Clause("NAME-02", "name", "Names that differ in case, trailing spaces or anything else are different."),
    Clause("NAME-03", "name", "Names with query syntax are plain text: they are stored and found, and do no harm."),
    Clause("TIME-03", "time", "Aware datetimes of any time zone keep their instant, and are returned in UTC."),
    Clause("TIME-04", "time", "Every call that takes a datetime raises InvalidArgument for a naive one."),
    Clause("TIME-05", "time", "A time far away is kept to the declared precision, or raises InvalidArgument."),
    Clause("TIME-06", "time", "A due time is rounded up to time_precision, never down."),
    Clause("TIME-07", "time", "With now=None, a call uses the backend's own clock."),
    Clause("TIME-08", "time", "A delay or lease that ends after the year 9999 raises InvalidArgument."),
    Clause("TIME-09", "time", "Each call uses its own now; the clocks of clients may differ, and may go back."),
    Clause("TIME-10", "time", "The time zone of the process has no effect."),
    Clause("TIME-11", "time", "A stored time is exact to time_precision."),
    Clause(
        "TIME-12", "time", "A duration is elapsed time: a day is 24 hours in any time zone, across clock changes too."
    ),
    Clause("RESTORE-06", "time", "restore rounds due times and leases up to time_precision, and other times down."),
    Clause("UPDATE-04", "query", "An updated job is claimed by its new run_at, priority and queue only."),
    Clause(
        "RESTORE-03", "query", "A restored record holds its key if its state holds it, unless another job holds it."
    ),
    Clause("RESTORE-05", "query", "Restored jobs are claimed, settled, rescued and found like any other job."),
    Clause(
        "FILTER-02", "query", "A filter's range of time has its start but not its end; `finished` needs a final job."
    ),
    Clause(
        "METER-04", "query", "Steps of meters begin at multiples of the step since 1970, in order of step, queue, kind."
    ),
    Clause("REFUSE-01", "refusal", "A limit below 1 raises InvalidArgument without effect."),
    Clause("REFUSE-02", "refusal", "A lease of zero or less raises InvalidArgument without effect."),
    Clause("REFUSE-03", "refusal", "purge raises InvalidArgument for a state that is not final, without effect."),
    Clause("REFUSE-04", "refusal", "An invalid worker or queue name raises InvalidArgument without effect."),
    Clause("REFUSE-05", "refusal", "A string or a single item in place of a batch raises InvalidArgument."),
    Clause("REFUSE-06", "refusal", "A claim with an attempt below 0 or above 2**63 - 1 raises InvalidArgument."),
    Clause("REFUSE-07", "refusal", "A position, order or at_most that does not fit raises InvalidArgument."),
    Clause("REFUSE-08", "refusal", "Schedules with one name, or with too large a payload, are rejected as a whole."),
    Clause("REFUSE-09", "refusal", "A ttl, minute, range or step that is not allowed raises InvalidArgument."),
    Clause(
        "RESTORE-04",
        "refusal",
        "A record that no job can have, or that needs a held key, is rejected with all others.",
    ),
    Clause("WAIT-01", "wait", "wait returns False at its timeout if no job is due."),
    Clause("WAIT-02", "wait", "wait returns True at once if a job is due."),
    Clause("WAIT-03", "wait", "wait returns True as soon as a future job becomes due."),
    Clause("WAIT-04", "wait", "wait does not return early for a job of a paused queue or of another queue."),
    Clause("WAIT-05", "wait", "wait returns True soon after an insert by another client.", "notify"),
    Clause("WAIT-06", "wait", "wait returns True soon after another client makes a job due in any way.", "notify"),
    Clause("WAIT-07", "wait", "wait returns True soon after an insert by the same client."),
    Clause(
        "WAIT-08",
        "wait",
        "wait returns True soon after an update, advance or restore by the same client makes a job due.",
    ),
    Clause("SETUP-01", "store", "A repeated setup changes nothing."),
    Clause("SETUP-02", "store", "setup after teardown creates an empty store; a repeated teardown has no effect."),
    Clause("SETUP-03", "store", "The stores of two namespaces are separate."),
    Clause("SETUP-04", "store", "Clients of one store see each other's writes."),
    Clause("SETUP-05", "store", "Eight clients can set up a store at the same time."),
    Clause(
        "SETUP-06", "store", "A malformed URL, an unknown option or an invalid namespace raises ConfigurationError."
    ),
    Clause("SETUP-07", "store", "Eight processes can set up a store at the same time.", "multi_process"),
    Clause("SETUP-08", "store", "setup of a store in use does not disturb its other clients."),
    Clause("SETUP-09", "store", "Opening creates nothing: until setup, a store is empty or its calls raise NotSetUp."),
    Clause("SETUP-10", "store", "setup raises ForeignStore for a foreign file; no call reads or changes foreign data."),
    Clause("SETUP-11", "store", "Processes that share a store see each other's writes.", "multi_process"),
    Clause("CLOSE-01", "store", "A repeated close has no effect; any other call then raises Closed."),
    Clause("CLOSE-02", "store", "close wakes every wait, which returns False or raises Closed."),
    Clause("CLOSE-03", "store", "Closing a client does not affect the store or its other clients."),
    Clause("CLOSE-04", "store", "A call during close returns, raises Closed without effect, or raises OutcomeUnknown."),
    Clause(
        "FORK-01", "store", "In a forked child, an inherited client raises Closed; the parent's client keeps working."
    ),
    Clause("FORK-02", "store", "A client that a forked child opens works, whatever its parent does.", "multi_process"),
    Clause("DURABLE-01", "store", "Stored records still exist after every client is closed.", "durable"),
    Clause("CAP-01", "capability", "Without transactions, a transaction raises Unsupported without effect."),
    Clause("CAP-04", "capability", "Capabilities are valid, and the same for each client."),
    Clause("CAP-05", "capability", "Without durable, a reopened store contains each call as a whole, or not at all."),
    Clause("CAP-06", "capability", "Without multi_process, another process does no harm."),
    Clause("CAP-07", "capability", "Without notify, a wait ends at its timeout at the latest."),
    Clause("CAP-02", "capability", "Jobs inserted in a transaction exist once it commits.", "transactions"),
    Clause("CAP-03", "capability", "Jobs inserted in a transaction never exist if it rolls back.", "transactions"),
    Clause("CAP-08", "capability", "Attempts settled in a transaction have ended once it commits.", "transactions"),
    Clause("CAP-09", "capability", "Attempts settled in a transaction keep running if it rolls back.", "transactions"),
    Clause("CAP-10", "capability", "A stale claim is rejected in a transaction too.", "transactions"),
    Clause("CAP-11", "capability", "Without error_text, a filter with error_text raises Unsupported without effect."),
    Clause(
        "FILTER-03",
        "capability",
        "error_text matches the type or message of last_error, as plain text; case matters.",
        "error_text",
    ),
    Clause("COST-01", "cost", "The cost of a claim does not grow with the backlog, future jobs or finished jobs."),
    Clause("RACE-01", "race", "If clients claim at the same time, each job goes to exactly one; none is lost."),
    Clause("RACE-02", "race", "If threads claim through one client, each job goes to exactly one; none is lost."),
    Clause("RACE-03", "race", "If outcomes for one claim race, exactly one is applied."),
    Clause("RACE-04", "race", "If rescues race, each expired job goes to exactly one."),
    Clause(
        "RACE-05", "race", "If a settle and a rescue race, exactly one ends the attempt; later extends return LOST."
    ),
    Clause("RACE-06", "race", "If inserts race for a unique key, exactly one wins; the others return its record."),
    Clause("RACE-07", "race", "If inserts with the same id race, exactly one is stored."),
    Clause("RACE-08", "race", "If a claim and a cancel race, both take effect."),
    Clause("RACE-09", "race", "If requeues of one job race, exactly one changes it."),
    Clause(
        "RACE-10",
        "race",
        "If processes claim at the same time, each attempt goes to exactly one.",
        "multi_process",
    ),
    Clause(
        "RACE-11",
        "race",
        "Processes forked while a client is open share a store like other processes.",
        "multi_process",
    ),
    Clause("RACE-12", "race", "Concurrent calls with the same jobs or keys in opposite orders do not fail."),
    Clause("RACE-13", "race", "If equal updates of one job race, exactly one changes it."),
    Clause("RACE-14", "race", "If a claim and an update race, the update changes the job before the claim, or not."),
    Clause("RACE-15", "race", "If advances of one schedule race, each tick fires once, and no tick is lost."),
    Clause("RACE-16", "race", "If removals of one schedule race, exactly one removes it."),
    Clause("RACE-17", "race", "If beats of one worker race, one of them stays."),
    Clause("RACE-18", "race", "Numbers that several callers add to one minute all count."),
    Clause("RACE-19", "race", "If replaces of one job race, each changes it, and one of them stays as a whole."),
    Clause("RACE-20", "race", "If a claim and a replace race, the replace changes the job before the claim, or not."),
    Clause("RACE-21", "race", "If restores of one record race, exactly one stores it."),
    Clause(
        "SCHED-01",
        "schedule",
        "In any interleaving of claims, each job goes to exactly one; none is left or overtaken.",
    ),
    Clause("SCHED-02", "schedule", "In any interleaving of settle, extend and rescue, an attempt ends once."),
    Clause(
        "SCHED-03",
        "schedule",
        "A rescue, settle, extend or report of an earlier attempt does not change the next one.",
    ),
    Clause("SCHED-04", "schedule", "In any interleaving of inserts, ends and requeues, a unique key has one holder."),
    Clause("SCHED-05", "schedule", "A cancel during claim, settle, rescue or requeue is not lost."),
    Clause("SCHED-06", "schedule", "A delete or purge during other calls never removes a running job."),
    Clause("SCHED-07", "schedule", "After pause has returned, no new claim gets a job of that queue."),
    Clause(
        "SCHED-09", "schedule", "In any interleaving of replaces, claims and ends, a running job keeps its payload."
    ),
    Clause("SCHED-08", "schedule", "Any interleaving of two or three workers is equivalent to some serial order."),
    Clause("CRASH-01", "crash", "A call that returned before its process died is stored.", "durable"),
    Clause("CRASH-02", "crash", "If a process dies in an insert, either all jobs or none are stored.", "durable"),
    Clause("CRASH-03", "crash", "If a process dies in a call, each job is as before or as after the call.", "durable"),
    Clause("CRASH-04", "crash", "A process that dies in a call does not block others.", "durable"),
    Clause("CRASH-05", "crash", "If a process dies in setup, setup can be repeated.", "durable"),
    Clause(
        "CRASH-06",
        "crash",
        "If a process dies in advance, a schedule moves together with all its jobs, or not at all.",
        "durable",
    ),
    Clause("CRASH-07", "crash", "If a process dies in restore, either all records or none are stored.", "durable"),
    Clause(
        "FAULT-01",
        "fault",
        "If the store cannot be reached, a call raises Unavailable without effect.",
        "multi_process",
    ),
    Clause("FAULT-02", "fault", "A lost request takes effect once or never.", "multi_process"),
    Clause(
        "FAULT-03",
        "fault",
        "After a lost reply, a call raises OutcomeUnknown or fetches the reply again.",
        "multi_process",
    ),
    Clause("FAULT-04", "fault", "A call on a silent connection ends within a minute.", "multi_process"),
    Clause(
        "FAULT-05", "fault", "Calls on a slow connection return the same results as on a fast one.", "multi_process"
    ),
    Clause("FAULT-06", "fault", "After a network failure, another client wakes a wait again.", "notify"),
    Clause("FAULT-07", "fault", "A stalled claim does not block other claims.", "multi_process"),
    Clause(
        "FAULT-08",
        "fault",
        "A call with a lost reply does not raise Unavailable if a rescue has run since.",
        "multi_process",
    ),
    Clause("LEAK-01", "leak", "A closed client leaves no thread and no file descriptor."),
    Clause("LEAK-02", "leak", "Rejected calls leave no thread and no file descriptor."),
    Clause("LEAK-03", "leak", "A wait whose client is closed leaves no thread and no file descriptor."),
    Clause(
        "LEAK-04", "leak", "A call that was rejected or found nothing keeps no lock: others can tear down the store."
    ),
    Clause("LEAK-05", "leak", "Failed calls use up nothing: the client works as soon as the store exists."),
    Clause("HISTORY-01", "history", "R1: the attempts of a record increase by one, and each is claimed once."),
    Clause("HISTORY-02", "history", "R2: an attempt starts only after the previous one has ended."),
    Clause("HISTORY-03", "history", "R3: each attempt ends at most once."),
    Clause(
        "HISTORY-04", "history", "R4: an attempt is extended and settled only while it runs, and never rejected then."
    ),
    Clause("HISTORY-05", "history", "R5: only a requeue changes a final state."),
    Clause("HISTORY-06", "history", "R6: no job is claimed before it is due, even after its run_at changes."),
    Clause(
        "HISTORY-07", "history", "R7: a call takes only jobs that match its arguments, and none from a paused queue."
    ),
    Clause("HISTORY-08", "history", "R8: a result has at most `limit` items, and none twice."),
    Clause(
        "HISTORY-09", "history", "R9: a claim or rescue below its limit skips only jobs that other calls compete for."
    ),
    Clause(
        "HISTORY-10", "history", "R10: a claim keeps the order, and skips no earlier job unless another claim overlaps."
    ),
    Clause("HISTORY-11", "history", "R11: no job is lost or duplicated."),
    Clause("HISTORY-12", "history", "R12: reads and counts match the stored records at some moment during the call."),
    Clause("HISTORY-13", "history", "R13: a unique key has one holder, and only this holder blocks other jobs."),
    Clause("HISTORY-14", "history", "R14: a rescue takes only expired leases, and respects extensions."),
)

CLAUSES = {clause.id: clause for clause in _ALL}
"""All clauses by id, in the order in which the kit runs them."""


def family(clause_id: str) -> str:
    """Return the family of a clause: the prefix of its id. One bug often breaks several clauses of a family."""
    return clause_id.partition("-")[0]


def selected(names: Iterable[str]) -> list[str]:
    """Return the clauses with these ids or of these families (`CLAIM`), in the order in which the kit runs them.

    Raises:
        ConfigurationError: A name is neither the id of a clause nor a family.
    """
    wanted = set(names)
    if unknown := wanted - {known for id in CLAUSES for known in (id, family(id))}:
        raise ConfigurationError(f"unknown clause or family: {', '.join(sorted(unknown))}; --list shows them all")
    return [id for id in CLAUSES if id in wanted or family(id) in wanted]

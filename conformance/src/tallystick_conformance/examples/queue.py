"""Known queues and paused queues."""

from datetime import timedelta

from tallystick import Cancel, Complete, Filter, NewRecord, State

from ..harness.case import LEASE, NOW, Case, example


@example("QUEUE-01")
def duplicates_make_no_queue_known(case: Case) -> None:
    """A queue stays unknown if only a duplicate, a claim or a filter names it."""
    first = case.insert(NewRecord(kind="k", queue="known", unique_key="key"))[0]
    case.insert(NewRecord(kind="k", queue="by id", id=first.id), NewRecord(kind="k", queue="by key", unique_key="key"))
    case.claim(queues=["by claim"])
    case.backend.list(Filter(queues=["by filter"]), limit=1)
    case.equal(["known"], [queue.name for queue in case.backend.queues()])
    case.equal(["known"], list(case.backend.stats(now=NOW).by_queue))


@example("QUEUE-01")
def a_known_queue_stays_known(case: Case) -> None:
    """A queue stays known, and paused, after its last record is purged."""
    for state, outcome in ((State.COMPLETED, Complete), (State.CANCELLED, Cancel)):
        case.backend.settle([outcome(case.running().claim)], now=NOW)
        case.backend.pause("default")
        case.equal(1, case.backend.purge([state], before=NOW + 2 * LEASE, limit=9))
        case.equal([("default", True)], [tuple(queue) for queue in case.backend.queues()])
        case.backend.resume("default")


@example("QUEUE-01")
def a_queue_is_known_by_a_job_or_a_pause(case: Case) -> None:
    """An insert or a pause makes a queue known, and a resume keeps it known. A resume, claim or wait alone does not."""
    case.insert(NewRecord(kind="k", queue="inserted"))
    case.backend.pause("paused")
    case.backend.pause("resumed")
    case.backend.resume("resumed")
    case.backend.resume("unknown")
    case.claim(queues=["claimed from"])
    case.backend.wait(["waited for"], timeout=timedelta(0))
    found = {queue.name: queue.paused for queue in case.backend.queues()}
    case.equal({"inserted": False, "paused": True, "resumed": False}, found)
    case.equal(found.keys(), case.backend.stats(now=NOW).by_queue.keys())


@example("QUEUE-03")
def a_repeated_pause_has_no_effect(case: Case) -> None:
    """A queue stays paused after a second pause, and resumed after a second resume."""
    for change, paused in ((case.backend.pause, True), (case.backend.resume, False)):
        for _ in range(2):
            change("twice")
            case.equal([("twice", paused)], [tuple(queue) for queue in case.backend.queues()])

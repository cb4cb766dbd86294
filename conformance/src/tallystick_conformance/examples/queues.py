"""Paused queues and known queues."""

from tallystick import Failure, NewRecord, Retry

from ..harness.case import LEASE, NOW, Case, example


@example("CLAIM-04")
def a_pause_holds_back_everything(case: Case) -> None:
    """No client can claim new, retrying or rescued jobs of a queue while the queue is paused."""
    other = case.client()
    retried, expired = case.running(unique_key="key").claim, case.running().claim
    case.insert(NewRecord(kind="new"), NewRecord(kind="k", queue="open"))
    case.backend.settle([Retry(retried, NOW, Failure("E", "m"))], now=NOW)
    case.backend.rescue(limit=9, now=NOW + LEASE)
    case.backend.pause("default")
    for client in (case.backend, other):
        case.equal([], list(client.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW + LEASE)))
    case.equal(["open"], [record.queue for record in case.claim(now=NOW + LEASE, queues=["default", "open"])])
    other.resume("default")
    waited = {record.id for record in case.claim(now=NOW + LEASE)}
    case.that({retried.id, expired.id} < waited and len(waited) == 3, "all three jobs after the resume", waited)


@example("QUEUE-01")
def a_queue_is_known_by_a_job_or_a_pause(case: Case) -> None:
    """An insert or a pause makes a queue known, and a resume keeps it known. A resume or claim alone does not."""
    case.insert(NewRecord(kind="k", queue="inserted"))
    case.backend.pause("paused")
    case.backend.pause("resumed")
    case.backend.resume("resumed")
    case.backend.resume("unknown")
    case.claim(queues=["asked for"])
    found = {queue.name: queue.paused for queue in case.backend.queues()}
    case.equal({"inserted": False, "paused": True, "resumed": False}, found)
    case.equal(found.keys(), case.backend.stats(now=NOW).by_queue.keys())

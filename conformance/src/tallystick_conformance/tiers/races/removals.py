"""Deletes that race with claims: a job that has begun to run is kept."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from tallystick import Backend, Filter, NewRecord

from ...harness.case import LEASE, NOW, Case, example
from ...harness.threads import together

_JOBS = 40


@example("SCHED-06")
def deletes_meet_claims(case: Case) -> None:
    """If a job is claimed and deleted at once, it is either claimed and kept, or deleted."""
    claimer, remover = case.bare_client(), case.bare_client()
    for n in range(case.profile.rounds):
        case.steps.clear()
        queue = f"q{n}"
        case.raw.insert([NewRecord(kind="k", queue=queue) for _ in range(_JOBS)], now=NOW)
        claimed, removed = together(
            partial(_claimed, claimer, queue), partial(remover.delete, Filter(queues=[queue]), limit=_JOBS)
        )
        kept = {record.id for record in case.raw.list(Filter(queues=[queue]), limit=_JOBS)}
        both = sorted(set(claimed) & set(removed))
        case.that(not both, "no job claimed and deleted", both)
        case.that(set(claimed) <= kept, "every claimed job kept", sorted(set(claimed) - kept))
        case.equal(_JOBS, len(kept) + len(removed))


def _claimed(client: Backend, queue: str) -> Sequence[UUID]:
    return [record.id for record in client.claim([queue], limit=_JOBS, worker="w", lease=LEASE, now=NOW)]

"""Concurrent batches with the same jobs or keys in opposite orders, which must not deadlock."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from tallystick import Backend, Claim, Complete, Filter, Hold, NewRecord, State

from ...harness.case import LEASE, NOW, Case, example
from ...harness.threads import together

AnswerT = TypeVar("AnswerT")

_JOBS = 40
_CLIENTS = 4


@example("RACE-12")
def replaces_meet(case: Case) -> None:
    """Concurrent replaces of the same jobs succeed in opposite orders, also beside claims of these jobs."""
    clients = [case.bare_client() for _ in range(_CLIENTS)]
    for n in range(case.profile.rounds):
        case.steps.clear()
        keys = [f"{n} {m}" for m in range(_JOBS)]
        case.raw.insert([NewRecord(kind="k", unique_key=key) for key in keys], now=NOW)
        calls: list[Callable[[], object]] = [
            partial(client.insert, [_replacing(key) for key in keys[::step]], now=NOW)
            for client, step in _both_ways(clients[1:])
        ]
        calls.append(partial(clients[0].claim, ["default"], limit=9, worker="w", lease=LEASE, now=NOW))
        _answered(case, calls)
        claims = [record.claim for record in case.raw.list(Filter(states=[State.RUNNING]), limit=_JOBS)]
        case.raw.settle([Complete(claim) for claim in claims], now=NOW)
        case.raw.delete(Filter(), limit=2 * _JOBS)


def _replacing(key: str) -> NewRecord:
    return NewRecord(kind="k", payload=b"new", unique_key=key, on_conflict="replace")


@example("RACE-12")
def batches_meet(case: Case) -> None:
    """Concurrent extends of the same claims, and inserts of the same keys, succeed in opposite orders."""
    clients = [case.bare_client() for _ in range(_CLIENTS)]
    for n in range(case.profile.rounds):
        case.steps.clear()
        held = _holds_meet(case, clients, f"q{n}")
        _keys_meet(case, clients, f"q{n}")
        case.raw.settle([Complete(claim) for claim in held], now=NOW)
        case.raw.delete(Filter(), limit=2 * _JOBS)  # keeps rounds fast on a store that scans all records


def _holds_meet(case: Case, clients: list[Backend], queue: str) -> Sequence[Claim]:
    case.raw.insert([NewRecord(kind="k", queue=queue) for _ in range(_JOBS)], now=NOW)
    claims = [record.claim for record in case.raw.claim([queue], limit=_JOBS, worker="w", lease=LEASE, now=NOW)]
    answers = _answered(
        case, [partial(client.extend, claims[::step], lease=LEASE, now=NOW) for client, step in _both_ways(clients)]
    )
    case.equal([[Hold.HELD] * _JOBS] * _CLIENTS, [list(held) for held in answers])
    return claims


def _keys_meet(case: Case, clients: list[Backend], queue: str) -> None:
    keys = [f"{queue} {n}" for n in range(_JOBS)]
    new = [
        [NewRecord(kind="k", queue=queue, unique_key=key) for key in keys[::step]] for _, step in _both_ways(clients)
    ]
    answers = _answered(
        case, [partial(client.insert, batch, now=NOW) for client, batch in zip(clients, new, strict=True)]
    )
    created = [answer.record.unique_key for batch in answers for answer in batch if answer.created]
    case.equal(sorted(keys), sorted(map(str, created)))


def _both_ways(clients: list[Backend]) -> list[tuple[Backend, int]]:
    return [(client, -1 if n % 2 else 1) for n, client in enumerate(clients)]


def _answered(case: Case, calls: Sequence[Callable[[], AnswerT]]) -> list[AnswerT]:
    try:
        return together(*calls)
    except Exception as exc:
        case.that(False, "a result of each call", repr(exc))
        raise

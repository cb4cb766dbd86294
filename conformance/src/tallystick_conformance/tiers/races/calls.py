"""Races between calls of several clients. Each round starts its calls at a barrier. A correct backend never fails."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, assert_never

from tallystick import (
    Cancel,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    Hold,
    NewRecord,
    OnConflict,
    Outcome,
    Release,
    Retry,
    State,
)

from ...examples.restore import whole
from ...gates import steps_seen
from ...harness.case import LEASE, NOW, Case, example
from ..histories.rounds import run_rounds
from ..schedules.play import lines
from .rounds import THREADS, Round, race_rounds

_JOBS = 12


def _claims_are_exclusive(case: Case, round: Round, queue: str) -> None:
    new = [NewRecord(kind="k", queue=queue) for _ in range(_JOBS)]
    case.raw.insert(new, now=NOW)
    claim = [partial(client.claim, [queue], limit=4, worker="w", lease=LEASE, now=NOW) for client in round.clients]
    won = [record for records in round.together(*claim) for record in records]
    rest = case.raw.claim([queue], limit=_JOBS, worker="w", lease=LEASE, now=NOW)
    times_claimed = Counter(record.claim for record in [*won, *rest])
    case.equal({Claim(record.id, 1): 1 for record in new}, dict(times_claimed))


@example("RACE-01")
def clients_race_to_claim(case: Case) -> None:
    """Four clients that claim from one queue at once get each job exactly once, with attempt 1."""
    for n, round in enumerate(race_rounds(case)):
        _claims_are_exclusive(case, round, f"q{n}")


@example("RACE-02")
def threads_race_on_one_client(case: Case) -> None:
    """Four threads that claim through one client at once get each job exactly once."""
    for n, round in enumerate(race_rounds(case, shared=True)):
        _claims_are_exclusive(case, round, f"q{n}")


@example("RACE-02")
def threads_settle_through_one_client(case: Case) -> None:
    """Four threads that settle their own jobs through one client at once each store their own `now`."""
    for round in race_rounds(case, shared=True):
        claims = _claimed(case, len(round.clients))
        times = {claim.id: NOW + n * LEASE for n, claim in enumerate(claims)}
        pairs = zip(round.clients, claims, strict=True)
        round.together(*(partial(c.settle, [Complete(claim)], now=times[claim.id]) for c, claim in pairs))
        case.equal(times, {id: record.finished_at for id, record in case.raw.get([*times]).items()})


@example("RACE-02")
def threads_share_one_client(case: Case) -> None:
    """Three threads that make random calls through one client get results that some order of the calls explains."""
    seed, steps = f"{case.profile.seed} shared", steps_seen(case.target)
    rounds = run_rounds(case.target, rounds=case.profile.rounds // 2, seed=seed, steps=steps, shared=True)
    for history, findings in rounds:
        for finding in findings:
            case.steps[:] = lines(history)
            case.that(False, "results that some order of these calls explains", f"{finding.text} ({finding.rule})")


@example("RACE-03")
def outcomes_race(case: Case) -> None:
    """`settle` applies one of four concurrent outcomes for a claim, and the record has the state of that outcome."""
    failure = Failure("E", "m")
    endings: tuple[Callable[[Claim], Outcome], ...] = (
        lambda claim: Complete(claim, b"a"),
        lambda claim: Complete(claim, b"b"),
        lambda claim: Discard(claim, failure),
        lambda claim: Retry(claim, NOW + LEASE, failure),
    )
    for n, round in enumerate(race_rounds(case, len(endings))):
        claims = _claimed(case, 1 if n % 3 == 0 else _JOBS)
        rivals = [[end(claim) for claim in claims] for end in endings]
        applied = round.together(
            *(partial(client.settle, row, now=NOW) for client, row in zip(round.clients, rivals, strict=True))
        )
        records = case.raw.get([claim.id for claim in claims])
        for claim, outcomes, answers in zip(claims, zip(*rivals, strict=True), zip(*applied, strict=True), strict=True):
            won = [outcome for outcome, answer in zip(outcomes, answers, strict=True) if answer]
            case.that(len(won) == 1, f"one outcome of {claim} applied", won)
            record = records[claim.id]
            case.equal(_ending(won[0]), (record.state, record.result))


def _claimed(case: Case, count: int) -> list[Claim]:
    case.insert(*(NewRecord(kind="k") for _ in range(count)))
    return [record.claim for record in case.claim()]


def _ending(outcome: Outcome) -> tuple[State, bytes | None]:
    match outcome:
        case Complete(_, result):
            return State.COMPLETED, result
        case Discard():
            return State.DISCARDED, None
        case Retry():
            return State.RETRYING, None
        case Release():
            return State.PENDING, None
        case Cancel():
            return State.CANCELLED, None
        case _:
            assert_never(outcome)


@example("RACE-04")
def rescues_race(case: Case) -> None:
    """Four concurrent rescues take each expired job exactly once."""
    for n, round in enumerate(race_rounds(case)):
        new = [NewRecord(kind="k", queue=f"q{n}") for _ in range(_JOBS)]
        case.raw.insert(new, now=NOW)
        case.raw.claim([f"q{n}"], limit=_JOBS, worker="w", lease=LEASE, now=NOW)
        won = round.together(*(partial(client.rescue, limit=_JOBS, now=NOW + LEASE) for client in round.clients))
        rest = case.raw.rescue(limit=_JOBS, now=NOW + LEASE)
        rescued = Counter(record.id for records in [*won, rest] for record in records)
        case.equal({record.id: 1 for record in new}, dict(rescued))


@example("RACE-05")
def settle_races_with_rescue(case: Case) -> None:
    """Either settle or rescue ends an expired claim. If a concurrent extend holds the claim, only settle can end it."""
    for round in race_rounds(case, 3):
        settler, rescuer, holder = round.clients
        claim, later = case.running().claim, NOW + LEASE
        applied, rescued, held = round.together(
            lambda: list[object](settler.settle([Complete(claim)], now=later)),  # noqa: B023 - called within this round
            lambda: list[object](rescuer.rescue(limit=1, now=later)),  # noqa: B023
            lambda: list[object](holder.extend([claim], lease=LEASE, now=later)),  # noqa: B023
        )
        case.that(
            applied[0] is not bool(rescued) and not (rescued and held == [Hold.HELD]),
            "ended by either settle or rescue, and by settle if extend returned HELD",
            f"settle {applied}, rescue {rescued}, extend {held}",
        )
        state = case.raw.get([claim.id])[claim.id].state
        case.equal(State.RETRYING if rescued else State.COMPLETED, state)
        case.raw.delete(Filter(), limit=9)


@example("RACE-06")
def unique_keys_race(case: Case) -> None:
    """One of four concurrent inserts with one unique key stores its job, and the others return that job."""
    for n, round in enumerate(race_rounds(case)):
        new = [NewRecord(kind="k", unique_key=f"key {n}") for _ in round.clients]
        answers = round.together(
            *(partial(c.insert, [record], now=NOW) for c, record in zip(round.clients, new, strict=True))
        )
        created = [answer.record.id for (answer,) in answers if answer.created]
        case.equal(1, len(created))
        case.equal(created * THREADS, [answer.record.id for (answer,) in answers])
        stored = case.raw.list(Filter(ids=[record.id for record in new]), limit=9)
        case.equal(created, [record.id for record in stored])


@example("RACE-07")
def one_id_races(case: Case) -> None:
    """One of four concurrent inserts of the same record stores it, and the others return it."""
    for round in race_rounds(case):
        new = NewRecord(kind="k")
        answers = round.together(*(partial(client.insert, [new], now=NOW) for client in round.clients))
        case.equal(1, sum(answer.created for (answer,) in answers))
        case.equal([new.id] * THREADS, [answer.record.id for (answer,) in answers])


@example("RACE-21")
def one_restore_races(case: Case) -> None:
    """One of four concurrent restores of the same records stores each, and the others return False."""
    for n, round in enumerate(race_rounds(case)):
        records = [whole(), whole(State.RUNNING), whole(State.COMPLETED, unique_key=f"{n}", unique_until="purged")]
        answers = round.together(*(partial(client.restore, records, now=NOW) for client in round.clients))
        case.equal([1] * len(records), [sum(stored) for stored in zip(*answers, strict=True)])
        case.equal({record.id: record for record in records}, case.raw.get([record.id for record in records]))


@example("RACE-08")
def claim_races_with_cancel(case: Case) -> None:
    """A job that is claimed and cancelled at once is either cancelled, or running with its cancellation requested."""
    for round in race_rounds(case, 2):
        claimer, canceller = round.clients
        id = case.raw.insert([NewRecord(kind="k")], now=NOW)[0].record.id
        claimed, cancelled = round.together(
            lambda: [r.id for r in claimer.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)],  # noqa: B023
            lambda: list(canceller.cancel(Filter(ids=[id]), limit=1, now=NOW)),  # noqa: B023
        )
        record = case.raw.get([id])[id]
        expected = (State.RUNNING, True) if claimed else (State.CANCELLED, False)
        case.equal(([id], *expected), (cancelled, record.state, record.cancel_requested))


@example("RACE-09")
def requeues_race(case: Case) -> None:
    """One of four concurrent requeues changes the job."""
    for round in race_rounds(case):
        claim = case.running().claim
        case.raw.settle([Complete(claim)], now=NOW)
        answers = round.together(*(partial(c.requeue, Filter(ids=[claim.id]), limit=1, now=NOW) for c in round.clients))
        case.equal([claim.id], [id for ids in answers for id in ids])
        case.raw.delete(Filter(), limit=9)


@example("RACE-19")
def replaces_race(case: Case) -> None:
    """Each of four concurrent replaces and debounces changes the job, and returns it as it left it. One stays."""
    for n, round in enumerate(race_rounds(case)):
        holder = case.raw.insert([NewRecord(kind="k", unique_key=f"key {n}")], now=NOW)[0].record
        policies: tuple[OnConflict, ...] = ("replace", "debounce", "replace", "debounce")
        new = [
            NewRecord(kind="k", payload=b"%d" % m, tags=(str(m),), unique_key=f"key {n}", on_conflict=policy)
            for m, policy in enumerate(policies)
        ]
        answers = round.together(
            *(partial(c.insert, [record], now=NOW) for c, record in zip(round.clients, new, strict=True))
        )
        own = [(record.payload, record.tags, record.on_conflict) for record in new]
        case.equal(own, [(answer.record.payload, answer.record.tags, answer.applied) for (answer,) in answers])
        case.equal([holder.id] * THREADS, [answer.record.id for (answer,) in answers])
        stored = case.raw.get([holder.id])[holder.id]
        case.that((stored.payload, stored.tags) in [parts[:2] for parts in own], "one of the new contents", stored)


@example("RACE-20")
def claim_races_with_replace(case: Case) -> None:
    """A job that is claimed and replaced at once runs with the new payload, or stays as the claim returned it."""
    for n, round in enumerate(race_rounds(case, 2)):
        claimer, replacer = round.clients
        key: dict[str, str] = {"kind": "k", "queue": f"q{n}", "unique_key": f"key {n}"}
        id = case.raw.insert([NewRecord(**key)], now=NOW)[0].record.id  # type: ignore[arg-type]
        new = NewRecord(**key, payload=b"new", on_conflict="replace")  # type: ignore[arg-type]
        claimed, inserted = round.together(
            lambda: list[Any](claimer.claim([new.queue], limit=1, worker="w", lease=LEASE, now=NOW)),  # noqa: B023
            lambda: list[Any](replacer.insert([new], now=NOW)),  # noqa: B023
        )
        (answer,) = inserted
        stored = case.raw.get([id])[id]
        expected = b"new" if answer.applied else b""
        case.equal([(id, expected)], [(record.id, record.payload) for record in claimed or [stored]])
        case.equal((id, expected), (answer.record.id, stored.payload))

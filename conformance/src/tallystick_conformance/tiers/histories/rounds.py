"""Run rounds in which a few clients make random calls at the same time; record and check each round."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from tallystick import (
    Backend,
    Cancel,
    Changes,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    NewRecord,
    OnConflict,
    Outcome,
    OutcomeUnknown,
    Record,
    Release,
    Retry,
    State,
    Unavailable,
)

from ...gates import Jitter, StepObserver, jitter
from ...harness.threads import together
from ...history.check import check
from ...history.finding import Finding
from ...history.operation import Operation
from ...history.recorder import Recorder
from ...subject.target import Target

_START = datetime(2033, 3, 14, 15, 9, 26, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_END = _START + timedelta(days=1)
_MANY = 1_000
_QUEUES = ("east", "west")
_KEYS = (None, None, "k", "l")
_POLICIES: tuple[OnConflict, ...] = ("skip", "skip", "replace", "debounce")
_ERROR = Failure("E", "m")

Mix = dict[str, int]
"""The relative frequency of each call."""

EVEN: Mix = {"insert": 4, "claim": 6, "settle": 6, "extend": 3, "rescue": 3, "cancel": 2, "requeue": 2, "delete": 1,
             "purge": 1, "pause": 1, "resume": 1, "get": 2, "list": 1, "stats": 2, "update": 1}  # fmt: skip


def run_rounds(
    target: Target,
    *,
    clients: int = 3,
    operations: int = 6,
    rounds: int = 10,
    seed: int | str = 0,
    steps: StepObserver | None = None,
    mix: Mix = EVEN,
    shared: bool = False,
) -> Iterator[tuple[list[Operation], list[Finding]]]:
    """Run rounds, and yield the history and the findings of each.

    Args:
        target: The backend under test.
        clients: How many clients make calls at the same time, each in its own thread.
        operations: Number of calls by each client.
        rounds: Number of rounds. The store is emptied between them.
        seed: The seed of the calls and of the delays. The order of the calls depends on the thread scheduler.
        steps: The backend's steps: every second round delays threads at random before them. None means no delays.
        mix: The relative frequency of each call.
        shared: Whether all threads share one client of the store.
    """
    with ExitStack() as stack:
        namespace, quiet = stack.enter_context(target.fresh())
        held = stack.enter_context(jitter(steps, target, namespace, seed)) if steps is not None else None
        names = ["w0"] if shared else [f"w{n}" for n in range(clients)]
        opened = [stack.enter_context(_client(target, namespace, held, name)) for name in names]
        precision = quiet.capabilities.time_precision
        for n in range(rounds):
            recorder = Recorder()
            stock = recorder.client(quiet, "quiet")
            named = [(opened[i % len(opened)], f"w{i}") for i in range(clients)]
            workers = [_Worker(recorder.client(c, name), Random(f"{seed} {n} {name}"), mix) for c, name in named]
            known = _stock(stock, Random(f"{seed} {n}"))
            calls = (partial(worker.work, operations, known) for worker in workers)
            together(*calls, hold=held if n % 2 else None)
            _drain(stock)
            _look_for(stock, recorder.history())
            history = recorder.history()
            yield history, check(history, precision=precision)
            _empty(quiet)


def _client(target: Target, namespace: str, held: Jitter | None, name: str) -> Backend:
    return target.make(namespace) if held is None else held.client(name)


def _stock(client: Backend, random: Random) -> list[UUID]:
    """Insert some jobs before a round, and claim one of them."""
    answers = client.insert([_new(random) for _ in range(random.randint(2, 5))], now=_START)
    client.claim(_QUEUES, limit=1, worker="stock", lease=_SECOND, now=_START)
    return [answer.record.id for answer in answers]


def _new(random: Random, *, changes: bool = False) -> NewRecord:
    key = random.choice(_KEYS)
    policy: OnConflict = random.choice(_POLICIES) if changes and key is not None else "skip"
    return NewRecord(
        payload=random.randbytes(2),
        kind="k",
        queue=random.choice(_QUEUES),
        priority=random.choice((0, 0, 1)),
        run_at=random.choice((None, None, _SECOND, _START + 3 * _SECOND)),
        max_attempts=random.choice((1, 3, 20)),
        unique_key=key,
        unique_until=random.choice(("finished", "finished", "purged", "started")),
        on_conflict=policy,
        debounce_max=random.choice((None, _SECOND)) if policy == "debounce" else None,
    )


def _drain(client: Backend) -> None:
    """Finish every job with a single client, and read the store."""
    for queue in _QUEUES:
        client.resume(queue)
    client.rescue(limit=_MANY, now=_END)
    claims = [record.claim for record in client.claim(_QUEUES, limit=_MANY, worker="quiet", lease=_SECOND, now=_END)]
    client.settle([Complete(claim) for claim in claims], now=_END)
    client.list(Filter(), limit=_MANY)
    client.stats(now=_END)


def _look_for(client: Backend, history: Iterable[Operation]) -> None:
    """Get every job that was ever stored, so that the checker notices a missing one."""
    inserts = (made.answer for made in history if made.call == "insert" and made.answer)
    ids = list(dict.fromkeys(answer.record.id for answers in inserts for answer in answers))
    most = client.capabilities.max_batch
    for n in range(0, len(ids), most):
        client.get(ids[n : n + most])


def _empty(client: Backend) -> None:
    client.delete(Filter(), limit=_MANY)


class _Worker:
    """One client with its own clock, which differs from the others; it remembers a few claims and ids."""

    def __init__(self, client: Backend, random: Random, mix: Mix) -> None:
        self._client = client
        self._random = random
        self._mix = mix
        self._now = _START + random.randint(-1, 3) * _SECOND
        self._claims: list[Claim] = []
        self._known: list[UUID] = []

    def work(self, operations: int, known: list[UUID]) -> None:
        """Make random calls."""
        self._known = list(known)
        self._claims = [Claim(id, 1) for id in known]
        for call in self._random.choices(list(self._mix), list(self._mix.values()), k=operations):
            self._now += self._random.choice((0, 0, 1, 2)) * _SECOND
            with suppress(Unavailable, OutcomeUnknown):  # the recorder has them, and the rules allow them
                getattr(self, f"_{call}")()

    def _insert(self) -> None:
        batch = [_new(self._random, changes=not n) for n in range(self._random.randint(1, 2))]
        self._known += [answer.record.id for answer in self._client.insert(batch, now=self._now)]

    def _claim(self) -> None:
        queues = self._random.choice((_QUEUES, _QUEUES, _QUEUES[:1], _QUEUES[1:]))
        limit, lease = self._random.choice((1, 2, 9)), self._random.randint(1, 3) * _SECOND
        records = self._client.claim(queues, limit=limit, worker="w", lease=lease, now=self._now)
        self._claims += [record.claim for record in records]
        self._known += [record.id for record in records]

    def _settle(self) -> None:
        self._client.settle([self._outcome(claim) for claim in self._some_claims()], now=self._now)

    def _outcome(self, claim: Claim) -> Outcome:
        at = self._random.choice((timedelta(0), _SECOND, self._now + _SECOND))
        return self._random.choice(
            (Complete(claim, b"r"), Retry(claim, at, _ERROR), Retry(claim, at, _ERROR), Discard(claim, _ERROR),
             Release(claim, at), Cancel(claim))
        )  # fmt: skip

    def _extend(self) -> None:
        self._client.extend(self._some_claims(), lease=self._random.randint(1, 3) * _SECOND, now=self._now)

    def _some_claims(self) -> list[Claim]:
        """Choose claims of this worker, and sometimes a claim of another attempt."""
        if not self._claims:
            return []
        latest = self._claims[-3:]
        chosen = self._random.sample(latest, self._random.randint(1, len(latest)))
        return [claim if self._random.random() < 0.9 else Claim(claim.id, claim.attempt + 1) for claim in chosen]

    def _rescue(self) -> None:
        self._remember(self._client.rescue(limit=self._random.choice((1, 9)), now=self._now))

    def _remember(self, records: Any) -> None:
        self._known += [record.id for record in records if isinstance(record, Record)]

    def _filter(self) -> Filter:
        ids = self._random.sample(self._known, min(2, len(self._known)))
        return self._random.choice((Filter(ids=ids), Filter(ids=ids), Filter(queues=_QUEUES[:1]), Filter()))

    def _cancel(self) -> None:
        self._client.cancel(self._filter(), limit=self._random.choice((1, 9)), now=self._now)

    def _requeue(self) -> None:
        self._client.requeue(self._filter(), limit=self._random.choice((1, 9)), now=self._now)

    def _update(self) -> None:
        changes = self._random.choice((Changes(priority=1), Changes(run_at=self._now), Changes(run_at=_START)))
        self._client.update(self._filter(), changes, limit=self._random.choice((1, 9)), now=self._now)

    def _delete(self) -> None:
        self._client.delete(self._filter(), limit=1)

    def _purge(self) -> None:
        self._client.purge([State.COMPLETED, State.CANCELLED], before=self._now, limit=1)

    def _pause(self) -> None:
        self._client.pause(self._random.choice(_QUEUES))

    def _resume(self) -> None:
        self._client.resume(self._random.choice(_QUEUES))

    def _get(self) -> None:
        self._client.get(self._random.sample(self._known, min(3, len(self._known))))

    def _list(self) -> None:
        self._remember(self._client.list(self._random.choice((Filter(), self._filter())), limit=_MANY))

    def _stats(self) -> None:
        self._client.stats(now=self._now)

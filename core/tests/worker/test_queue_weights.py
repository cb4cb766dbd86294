"""The share of claims that each queue of a worker gets."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from tallystick import ConfigurationError, Context, InvalidArgument, NewRecord, Record, Settings
from tallystick.worker.turns import Turns
from tallystick_memory import MemoryBackend

from ..helpers import MakeRunner, eventually


def test_claims_are_shared_by_weight() -> None:
    """Among full claims, each queue has its share, and the claims of one queue are spread evenly."""
    turns = Turns(["emails", "default", "slow"], {"emails": 5, "default": 2})
    taken = []
    for _ in range(80):
        [queue] = turns.take()
        turns.report(is_full=True)
        taken.append(queue)
    assert Counter(taken) == {"emails": 50, "default": 20, "slow": 10}
    assert all(taken[start : start + 8].count("slow") == 1 for start in range(0, 80, 8))


def test_a_claim_that_finds_too_few_is_followed_by_one_of_all_queues() -> None:
    """An empty queue does not leave capacity unused."""
    turns = Turns(["emails", "default"], {"emails": 5})
    assert turns.take() == ("emails",)
    turns.report(is_full=False)
    follows = [turns.follows]
    assert turns.take() == ["emails", "default"]
    turns.report(is_full=False)
    assert [*follows, turns.follows] == [True, False]
    assert turns.take() == ("emails",)


@pytest.mark.parametrize("weights", [{}, {"emails": 1}, {"emails": 3, "default": 3}])
def test_without_weights_each_claim_takes_all_queues(weights: dict[str, int]) -> None:
    """Equal weights change nothing: priority and due time decide among the queues."""
    turns = Turns(["emails", "default"], weights)
    for is_full in (True, False, True):
        assert turns.take() == ["emails", "default"]
        turns.report(is_full=is_full)
        assert not turns.follows


class Claims(MemoryBackend):
    """Notes the queue of each claimed job."""

    def __init__(self) -> None:
        super().__init__()
        self.claimed: list[str] = []

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        """Claim, and note."""
        records = super().claim(queues, limit=limit, worker=worker, lease=lease, now=now)
        self.claimed += [record.queue for record in records]
        return records


def test_a_worker_works_a_light_queue_beside_a_flooded_heavy_one(make_runner: MakeRunner) -> None:
    """Jobs of a light queue that came last are worked long before the backlog of the heavy queue is done."""
    store = Claims()
    store.insert([NewRecord(kind="note", payload=b"0", queue="heavy", priority=9) for _ in range(400)])
    store.insert([NewRecord(kind="note", payload=b"0", queue="light") for _ in range(10)])
    runner = make_runner(store, queues=["heavy", "light"], queue_weights={"heavy": 5}, concurrency=1, batch=1)

    @runner.job("note", queue="heavy")
    def note(payload: int, ctx: Context) -> None: ...

    runner.start()
    eventually(lambda: len(store.claimed) == 410)
    last = max(index for index, queue in enumerate(store.claimed) if queue == "light")
    assert last < 100
    eventually(lambda: runner.snapshot().completed == 410)


def test_weights_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment has weights as text; the last colon counts."""
    monkeypatch.setenv("TALLYSTICK_QUEUE_WEIGHTS", "emails:5, a:b:2")
    assert Settings().queue_weights == {"emails": 5, "a:b": 2}


@pytest.mark.parametrize("weights", [{"emails": 0}, {"emails": 1.5}, {"emails": True}, {"": 1}, "emails"])
def test_bad_weights_are_rejected(make_runner: MakeRunner, weights: object) -> None:
    """A weight is a whole number from 1."""
    with pytest.raises(ConfigurationError, match="queue_weights"):
        make_runner(queue_weights=weights)


def test_a_weight_of_another_queue_is_rejected(make_runner: MakeRunner) -> None:
    """A misspelt queue is an error at the start."""
    runner = make_runner(queues=["emails"], queue_weights={"email": 5})
    with pytest.raises(InvalidArgument, match="queue_weights has 'email', which this runner does not serve"):
        runner.start()

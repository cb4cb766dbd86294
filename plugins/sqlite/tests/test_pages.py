"""Pages and counts of many records: each way to find them returns the same ones in the same order."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from uuid import UUID

import pytest
from tallystick import CLAIMABLE, Discard, Failure, Filter, NewRecord, Order, Record, Retry, State, Stats
from tallystick.contract.filters import ORDERS
from tallystick_sqlite import SqliteBackend, listing, search

NOW = datetime(2030, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=20)
FILTERS = {
    "all": Filter(),
    "kind": Filter(kinds=["k1"]),
    "queues": Filter(queues=["q0", "q2"]),
    "states": Filter(states=[State.RETRYING, State.CANCELLED, State.RUNNING]),
    "error types": Filter(error_types=["E0", "E2"]),
    "error text": Filter(error_text="m1"),
    "unique keys": Filter(unique_keys=["u1", "u3", "u4"]),
    "workers": Filter(workers=["w"]),
    "tags": Filter(tags=["t0", "t1"]),
    "created": Filter(created_since=NOW + 5 * STEP, created_until=NOW + 15 * STEP),
    "created since": Filter(created_since=NOW + 12 * STEP, kinds=["k1"]),
    "finished first": Filter(finished_until=NOW + 5 * STEP),
    "finished until": Filter(finished_until=NOW + 15 * STEP),
    "created until": Filter(created_until=NOW + 12 * STEP),
    "finished since": Filter(finished_since=NOW + 12 * STEP),
    "created until, finished since": Filter(created_until=NOW + 8 * STEP, finished_since=NOW + 9 * STEP),
    "pending": Filter(states=[State.PENDING]),
    "waiting in queues": Filter(states=[State.RETRYING, State.PENDING], queues=["q0", "q2"]),
    "retrying": Filter(states=[State.RETRYING]),
    "finished": Filter(finished_since=NOW + 5 * STEP, finished_until=NOW + 15 * STEP),
    "several": Filter(unique_keys=["u1", "u2", "u3"], error_types=["E0", "E1"], error_text="m", queues=["q0", "q1"]),
}


@pytest.fixture(params=["", "?search=true"], ids=["plain", "search"])
def backend(request: pytest.FixtureRequest, url: str) -> Iterator[SqliteBackend]:
    with SqliteBackend.from_url(url + request.param) as backend:
        backend.setup()
        yield backend


@pytest.fixture
def records(backend: SqliteBackend) -> list[Record]:
    """Fill a store with jobs in every state, in several lanes, and with equal times. Some jobs finish late.

    Some finish before they were created, by the times of the calls.
    """
    pick = random.Random(0)
    for at in (NOW + n * STEP for n in range(20)):
        new = [
            NewRecord(
                id=UUID(int=pick.getrandbits(128)) if pick.randrange(3) else _uuid7(at, pick),
                kind=f"k{pick.randrange(3)}",
                queue=f"q{pick.randrange(3)}",
                priority=pick.randrange(3),
                run_at=at - pick.randrange(3) * STEP,
                unique_key=pick.choice([None, f"u{pick.randrange(6)}"]),
                tags=tuple(pick.sample(["t0", "t1", "t2"], pick.randrange(3))),
            )
            for _ in range(16)
        ]
        backend.insert(new, now=at)
        for record in backend.claim(["q0", "q1", "q2"], limit=8, worker="w", lease=STEP, now=at):
            error = Failure(f"E{pick.randrange(3)}", f"m{pick.randrange(3)}")
            retry = Retry(record.claim, at + pick.randrange(3) * STEP, error)
            end = record.created_at - 5 * STEP if pick.randrange(6) == 0 else at
            backend.settle([retry if pick.randrange(3) else Discard(record.claim, error)], now=end)
        backend.cancel(Filter(kinds=["k2"], states=[State.PENDING]), limit=2, now=at)
    backend.claim(["q1"], limit=3, worker="v", lease=STEP, now=NOW + 20 * STEP)
    found = backend.list(Filter(), limit=1_000)
    assert len(found) > 150
    assert {record.state for record in found} == set(State) - {State.COMPLETED}
    assert any(record.finished_at and record.finished_at - record.created_at > 6 * STEP for record in found)
    assert any(record.finished_at and record.finished_at < record.created_at for record in found)
    return [*found]


@pytest.mark.parametrize("filter", FILTERS.values(), ids=FILTERS)
def test_pages_have_each_match_once_in_order(
    backend: SqliteBackend, records: list[Record], monkeypatch: pytest.MonkeyPatch, filter: Filter
) -> None:
    """Pages contain each matching record once, in order, whether candidates are sorted or scanned."""
    monkeypatch.setattr(listing, "NEWEST", 10)
    for few, order in product([0, 50, 5_000], ORDERS):
        monkeypatch.setattr(listing, "FEW", few)
        monkeypatch.setattr(listing, "FEW_WAITING", few)
        matches = [record for record in records if filter.fits(record) and _belongs(record, order)]
        expected = sorted(matches, key=partial(_place, order), reverse=order != "run_at")
        assert [*_pages(backend, filter, order)] == expected, (few, order)


@pytest.mark.parametrize("filter", FILTERS.values(), ids=FILTERS)
def test_counts_are_exact_up_to_the_maximum(
    backend: SqliteBackend, records: list[Record], monkeypatch: pytest.MonkeyPatch, filter: Filter
) -> None:
    """A count is the number of matching records, and never more than its maximum, whichever index it reads."""
    expected = sum(map(filter.fits, records))
    for fewest in (0, 50, 1_000):
        monkeypatch.setattr(listing, "FEWEST", fewest)
        assert [backend.count(filter, at_most=n) for n in (1_000_000, expected, 1)] == [expected, expected, 1]


def test_the_ledger_counts_as_stats_do(backend: SqliteBackend, records: list[Record]) -> None:
    """Stats are the same from the ledger and from the records, before and after deletions and a purge."""
    for _ in range(2):
        found = backend.stats(now=NOW + 20 * STEP)
        assert found == _without_ledger(backend)
        backend.delete(Filter(kinds=["k0"]), limit=1_000)
        backend.purge([State.DISCARDED], before=NOW + 10 * STEP, limit=1_000)


def _without_ledger(backend: SqliteBackend) -> Stats:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "exists", lambda *_: False)
        return backend.stats(now=NOW + 20 * STEP)


def _uuid7(moment: datetime, pick: random.Random) -> UUID:
    return UUID(int=int(moment.timestamp() * 1_000) << 80 | 7 << 76 | 2 << 62 | pick.getrandbits(62))


def _pages(backend: SqliteBackend, filter: Filter, order: Order) -> Iterator[Record]:
    after: UUID | tuple[datetime, UUID] | None = None
    while page := backend.list(filter, limit=7, order=order, after=after):
        yield from page
        time, _ = _place(order, page[-1])
        after = page[-1].id if order == "id" else (time, page[-1].id)


def _belongs(record: Record, order: Order) -> bool:
    if order == "run_at":
        return record.state in CLAIMABLE
    return order == "id" or record.finished_at is not None


def _place(order: Order, record: Record) -> tuple[datetime, int]:
    time = {"id": NOW, "finished_at": record.finished_at, "run_at": record.run_at}[order]
    return time or NOW, record.id.int

"""Pages and counts by ranges of times: each way to find the records returns the same ones in the same order."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tallystick import Complete, Filter, NewRecord, Order, Record, State
from tallystick.backends import calls, selection
from tallystick.backends.calls import ListCall
from tallystick.contract.filters import ORDERS
from tallystick_postgres import PostgresBackend, listing
from tallystick_postgres.capabilities import CAPABILITIES

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILTERS = {
    "created": Filter(created_since=NOW + 5 * HOUR, created_until=NOW + 15 * HOUR),
    "created since": Filter(created_since=NOW + 12 * HOUR, kinds=["k1"]),
    "created until": Filter(created_until=NOW + 12 * HOUR),
    "finished": Filter(finished_since=NOW + 5 * HOUR, finished_until=NOW + 15 * HOUR),
    "finished first": Filter(finished_until=NOW + 2 * HOUR),
    "finished until": Filter(finished_until=NOW + 15 * HOUR),
    "finished since": Filter(finished_since=NOW + 15 * HOUR, states=[State.COMPLETED]),
    "pending": Filter(states=[State.PENDING]),
    "waiting": Filter(states=[State.RETRYING, State.PENDING], queues=["default", "other"]),
    "kind": Filter(kinds=["k1"]),
    "kind in states": Filter(kinds=["k1"], states=[State.COMPLETED, State.RUNNING], queues=["default"]),
    "both": Filter(created_until=NOW + 12 * HOUR, finished_since=NOW + 10 * HOUR),
}


@pytest.fixture
def records(backend: PostgresBackend) -> list[Record]:
    """Fill a store with waiting and finished jobs. Some ids are random or of an earlier time; some finished late.

    Some have finished before they were created, by the times of the calls.
    """
    pick = random.Random(0)
    for hour in range(20):
        at = NOW + hour * HOUR
        ids = [UUID(int=pick.getrandbits(128)), *(_uuid7(time, pick) for time in (at, at, at - 2 * HOUR, at))]
        backend.insert([NewRecord(id=id, kind=f"k{pick.randrange(2)}", run_at=at) for id in ids], now=at)
        claimed = backend.claim(["default"], limit=3, worker="w", lease=HOUR, now=at)
        for record in claimed:
            end = record.created_at - 5 * HOUR if pick.randrange(6) == 0 else at + HOUR / 2
            backend.settle([Complete(record.claim)], now=end)
    found = [*backend.list(Filter(), limit=1_000)]
    assert {bool(job.finished_at and job.finished_at - job.created_at > 2 * HOUR) for job in found} == {True, False}
    assert {bool(job.finished_at and job.finished_at < job.created_at) for job in found} == {True, False}
    return found


def _uuid7(moment: datetime, pick: random.Random) -> UUID:
    return UUID(int=int(moment.timestamp() * 1_000) << 80 | 7 << 76 | 2 << 62 | pick.getrandbits(62))


@pytest.mark.parametrize("few", [0, 20_000], ids=["scanned", "few"])
@pytest.mark.parametrize("filter", FILTERS.values(), ids=FILTERS)
def test_pages_have_each_match_once_in_order(
    backend: PostgresBackend, records: list[Record], monkeypatch: pytest.MonkeyPatch, filter: Filter, few: int
) -> None:
    """Pages contain each matching record once, in order, whether all jobs are scanned, or the few that may match."""
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "RARE", few)
    monkeypatch.setattr(listing, "NEWEST", 8)
    matches = [record for record in records if filter.fits(record)]
    assert matches
    assert backend.count(filter) == len(matches)
    for order in ORDERS:
        after: UUID | tuple[datetime, UUID] | None = None
        for _ in range(3):
            expected = selection.page(matches, _call(filter, order, after))
            assert [*backend.list(filter, limit=7, order=order, after=after)] == [*expected]
            if not expected:
                break
            after = _position(order, expected[-1])


@pytest.mark.parametrize("known", ["WHERE FALSE", "WHERE state = 'discarded'", "WHERE state <> 'pending'"])
def test_a_page_of_a_rare_kind_has_jobs_in_states_that_the_ledger_did_not_have(
    backend: PostgresBackend, records: list[Record], monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    """The ledger is read before the page, and jobs may change in between."""
    earlier = f"SELECT state, 1::bigint FROM unnest(ARRAY['pending', 'discarded', 'completed']) AS state {known}"
    monkeypatch.setattr(backend._queries, "count_ledger_by_state", earlier)
    expected = [record for record in records if record.kind == "k1"]
    assert [*backend.list(Filter(kinds=["k1"]), limit=1_000)] == expected


def _call(filter: Filter, order: Order, after: UUID | tuple[datetime, UUID] | None) -> ListCall:
    return calls.list(filter, CAPABILITIES, limit=7, order=order, after=after)


def _position(order: Order, record: Record) -> UUID | tuple[datetime, UUID]:
    time = {"id": None, "finished_at": record.finished_at, "run_at": record.run_at}[order]
    return record.id if time is None else (time, record.id)

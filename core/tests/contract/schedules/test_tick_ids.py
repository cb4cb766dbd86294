from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick import InvalidArgument, tick_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

seconds = st.integers(0, 250_000_000_000).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@given(names, seconds)
def test_a_tick_id_is_a_uuid7_of_the_tick(name: str, tick: datetime) -> None:
    """The id has the version and variant of a UUIDv7, and its first 48 bits are the milliseconds of the tick."""
    id = tick_id(name, tick)
    assert (id.version, id.variant) == (7, RFC_4122)
    assert id.int >> 80 == (tick - EPOCH) // timedelta(milliseconds=1)
    assert id == tick_id(name, tick.astimezone(timezone(timedelta(hours=-3))))


@given(st.lists(st.tuples(names, seconds), unique=True))
def test_tick_ids_are_distinct_and_sort_by_time(ticks: list[tuple[str, datetime]]) -> None:
    """Another schedule or another tick has another id, and a later tick has a higher one."""
    ids = {tick_id(name, tick): tick for name, tick in ticks}
    assert len(ids) == len(ticks)
    in_order = [tick for _, tick in sorted(ids.items(), key=lambda item: item[0].bytes)]
    assert in_order == sorted(in_order)


def test_a_tick_id_never_changes() -> None:
    """The id of a tick is the same in every version, process and machine."""
    assert tick_id("report", datetime(2026, 11, 28, 3, tzinfo=UTC)) == UUID("01a22018-6780-7b86-9f62-ce75c23e2ae6")


def test_a_tick_before_1970_has_no_id() -> None:
    """The 48 bits of a UUIDv7 cannot hold a time before 1970."""
    with pytest.raises(InvalidArgument, match="1970"):
        tick_id("report", EPOCH - timedelta(seconds=1))
    with pytest.raises(InvalidArgument, match="printable"):
        tick_id("\ud800", EPOCH)

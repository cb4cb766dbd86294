from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import Advance, InvalidArgument

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_advance_has_ticks_in_utc() -> None:
    """Ticks and next_tick are aware datetimes of any zone, and are kept in UTC."""
    advance = Advance(name="report", revision=1, ticks=[NOON, NOON + HOUR], next_tick=NOON + 2 * HOUR)  # type: ignore[arg-type]
    assert advance.ticks == (NOON, NOON + HOUR)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"revision": 0},
        {"revision": 2**63},
        {"revision": True},
        {"ticks": NOON},
        {"ticks": (NOON.replace(tzinfo=None),)},
        {"ticks": (NOON, NOON)},
        {"ticks": (NOON + HOUR, NOON)},
        {"ticks": (NOON + 2 * HOUR,)},
        {"ticks": tuple(NOON + timedelta(seconds=n) for n in range(1_001))},
        {"next_tick": NOON.replace(tzinfo=None)},
        {"next_tick": datetime(1969, 12, 31, tzinfo=UTC)},
        {"paused": 1},
    ],
)
def test_an_advance_checks_its_fields(fields: dict[str, Any]) -> None:
    """An advance that no store accepts raises `InvalidArgument` when it is created."""
    with pytest.raises(InvalidArgument):
        Advance(**{"name": "report", "revision": 1, "next_tick": NOON + 2 * HOUR, **fields})

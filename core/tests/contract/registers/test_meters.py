from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import InvalidArgument, Meter, MeterDelta

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "fields",
    [
        {"minute": NOON + timedelta(seconds=1)},
        {"minute": NOON + timedelta(microseconds=1)},
        {"minute": NOON.replace(tzinfo=None)},
        {"queue": ""},
        {"kind": 1},
        {"completed": -1},
        {"retried": 2**31},
        {"discarded": 1.5},
        {"released": True},
        {"cancelled": "1"},
        {"waiting": timedelta(seconds=-1)},
        {"running": timedelta(days=36_501)},
        {"running": 3},
    ],
)
def test_a_delta_checks_its_fields(fields: dict[str, Any]) -> None:
    """A delta that no store accepts raises `InvalidArgument` when it is created."""
    with pytest.raises(InvalidArgument):
        MeterDelta(**{"minute": NOON, "queue": "default", "kind": "report", **fields})


def test_a_meter_has_the_fields_of_a_delta() -> None:
    """A meter has the numbers of deltas, from the begin of a step on."""
    assert Meter._fields[1:] == tuple(MeterDelta.__slots__)[1:]

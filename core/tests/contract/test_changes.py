from typing import Any

import pytest
from tallystick import Changes, InvalidArgument

from ..helpers import NOW, SECOND, stored


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"run_at": NOW.replace(tzinfo=None)},
        {"run_at": SECOND},
        {"priority": 40_000},
        {"priority": True},
        {"queue": ""},
        {"queue": ["a"]},
    ],
)
def test_changes_check_their_fields(fields: dict[str, Any]) -> None:
    """Empty changes, a delay, and values that no job may have are rejected."""
    with pytest.raises(InvalidArgument):
        Changes(**fields)


def test_changes_of_a_record() -> None:
    """Given values replace those of the record; a record that has them already is unchanged."""
    record = stored()
    later = NOW + SECOND
    changed = Changes(run_at=later, queue="other").of(record, later)
    assert changed == record._replace(run_at=later, queue="other", updated_at=later)
    assert Changes(run_at=later, queue="other").of(changed, later + SECOND) is changed
    assert Changes(priority=record.priority).of(record, later) is record

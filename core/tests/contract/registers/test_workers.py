from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tallystick import Beat, Claim, InvalidArgument, Running

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
CLAIM = Claim(UUID(int=7), 3)


def beat(**fields: Any) -> Beat:
    """Return a valid beat with some other fields."""
    return Beat(
        **{
            "worker": "web-1",
            "host": "web",
            "pid": 4711,
            "version": "1.2",
            "queues": ("default",),
            "concurrency": 10,
            "started_at": NOON,
            **fields,
        }
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"worker": ""},
        {"host": "a\nb"},
        {"version": None},
        {"pid": -1},
        {"pid": 2**31},
        {"queues": "default"},
        {"queues": [str(n) for n in range(1_001)]},
        {"concurrency": 0},
        {"started_at": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"running": CLAIM},
        {"running": [CLAIM]},
        {"running": [Running(CLAIM, "", NOON)], "busy": 1},
        {"running": [Running((CLAIM.id, -1), "report", NOON)], "busy": 1},  # type: ignore[arg-type]
        {"running": [Running(CLAIM, "report", NOON.replace(tzinfo=None))], "busy": 1},
        {"running": [Running(CLAIM, "report", NOON)] * 101, "busy": 101},
        {"running": [Running(CLAIM, "report", NOON)], "busy": 0},
        {"draining": "no"},
    ],
)
def test_a_beat_checks_its_fields(fields: dict[str, Any]) -> None:
    """A beat that no store accepts raises `InvalidArgument` when it is created."""
    with pytest.raises(InvalidArgument):
        beat(**fields)


def test_a_beat_is_kept_as_json() -> None:
    """A beat survives JSON in ASCII."""
    given = beat(running=[Running(CLAIM, "berichtä", NOON)], busy=20, draining=True, host="wéb")
    assert given.to_json().isascii()
    assert Beat.from_json("web-1", given.to_json()) == given


@pytest.mark.parametrize("text", ["", "{}", "[]", "{" * 100_000, '{"host": 1}', b"\xff"])
def test_an_unreadable_beat_is_an_error(text: str | bytes) -> None:
    """A damaged beat raises `InvalidArgument`, so that a store can skip it."""
    with pytest.raises(InvalidArgument, match="web-1"):
        Beat.from_json("web-1", text)


def test_a_worker_is_alive_until_its_ttl_ends() -> None:
    """A worker counts as alive for the time that it announced with its latest beat."""
    info = beat().info(NOON, timedelta(seconds=30))
    assert (info.worker, info.seen_at, info.ttl) == ("web-1", NOON, timedelta(seconds=30))
    assert info.is_alive(NOON + timedelta(seconds=29))
    assert not info.is_alive(NOON + timedelta(seconds=30))

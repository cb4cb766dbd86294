"""The model follows the table of transitions."""

from datetime import UTC, datetime, timedelta

from tallystick import TRANSITIONS, Cancel, Claim, Complete, Discard, Failure, NewRecord, Release, Retry, State
from tallystick_conformance.contract.model import Model

NOW = datetime(2001, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ERROR = Failure("E", "m")


def _running(*, flagged: bool = False, max_attempts: int = 20) -> tuple[Model, Claim]:
    model, new = Model(), NewRecord(kind="k", max_attempts=max_attempts)
    model.insert(new, NOW)
    model.claim(new.id, "w", SECOND, NOW)
    if flagged:
        model.cancel(new.id, NOW)
    return model, Claim(new.id, 1)


def test_the_model_takes_the_ways_of_the_table() -> None:
    """The model takes exactly the transitions out of `running` that the table lists."""
    ways = set()
    for flagged in (False, True):
        for by, outcome in (("Complete", Complete), ("Cancel", Cancel), ("Release", Release)):
            model, claim = _running(flagged=flagged)
            model.settle(outcome(claim), NOW)
            ways.add((f"settle {by}", model.records[claim.id].state))
        model, claim = _running(flagged=flagged)
        model.settle(Retry(claim, SECOND, ERROR), NOW)
        ways.add(("settle Retry", model.records[claim.id].state))
        model, claim = _running(flagged=flagged)
        model.settle(Discard(claim, ERROR), NOW)
        ways.add(("settle Discard", model.records[claim.id].state))
        for most in (1, 2):
            model, claim = _running(flagged=flagged, max_attempts=most)
            model.rescue(claim.id, NOW + SECOND)
            ways.add(("rescue", model.records[claim.id].state))

    listed = {(way.by, way.target) for way in TRANSITIONS if way.source is State.RUNNING and way.by != "cancel"}
    assert ways == listed


def test_the_holder_of_a_key_is_looked_up() -> None:
    """A key is free once its holder finished, unless it is held until the record is purged."""
    for until, free in (("finished", True), ("purged", False)):
        model, new = Model(), NewRecord(kind="k", unique_key="key", unique_until=until)  # type: ignore[arg-type]
        model.insert(new, NOW)
        model.cancel(new.id, NOW)

        assert model.insert(NewRecord(kind="k", unique_key="key"), NOW).created is free

from typing import get_args

import pytest
from tallystick import CLAIMABLE, FINAL, TRANSITIONS, InvalidArgument, Outcome, State


def test_parts() -> None:
    """Every state is either claimable, running or final."""
    assert CLAIMABLE | FINAL | {State.RUNNING} == set(State)
    assert not CLAIMABLE & FINAL


def test_final_is_final() -> None:
    """Only an operator's requeue takes a job out of a final state; delete and purge remove it."""
    leaving = {(transition.by, transition.target) for transition in TRANSITIONS if transition.source in FINAL}
    assert leaving == {("requeue", State.PENDING), ("delete", None), ("purge", None)}


def test_running_begins_with_a_claim() -> None:
    """Only a claim makes a stored job running, and every claimable state allows it."""
    entries = [t for t in TRANSITIONS if t.target is State.RUNNING and t.source not in (None, State.RUNNING)]
    assert {transition.by for transition in entries} == {"claim"}
    assert {transition.source for transition in entries} == CLAIMABLE


def test_running_is_never_removed() -> None:
    """A running job cannot be deleted, purged or requeued."""
    ways = {transition.by for transition in TRANSITIONS if transition.source is State.RUNNING}
    assert ways.isdisjoint({"delete", "purge", "requeue", "claim"})


def test_determined() -> None:
    """A state, a call and a condition determine the next state."""
    ways = [(transition.source, transition.by, transition.when) for transition in TRANSITIONS]
    assert len(ways) == len(set(ways))


def test_every_state_is_reached() -> None:
    """Every state can be reached from an insert, without a restore."""
    reached: set[State | None] = {None}
    ways = [transition for transition in TRANSITIONS if transition.by != "restore"]
    for _ in State:
        reached |= {transition.target for transition in ways if transition.source in reached}
    assert reached == {None, *State}


def test_sources() -> None:
    """The table gives the states that a call starts from."""
    assert TRANSITIONS.sources("insert") == set()
    assert TRANSITIONS.sources("cancel") == {State.PENDING, State.RETRYING, State.RUNNING}
    assert TRANSITIONS.sources("requeue") == {State.RETRYING, *FINAL}
    assert TRANSITIONS.sources("delete") == {State.PENDING, State.RETRYING, *FINAL}


def test_targets() -> None:
    """The table gives the states that a call leads to."""
    assert TRANSITIONS.targets("settle Retry") == {State.RETRYING, State.CANCELLED}
    assert TRANSITIONS.targets("purge") == set()
    assert TRANSITIONS.targets("restore") == {*State}


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_is_listed(outcome: type) -> None:
    """Every outcome leads from running to some state."""
    assert TRANSITIONS.sources(f"settle {outcome.__name__}") == {State.RUNNING}
    assert TRANSITIONS.targets(f"settle {outcome.__name__}")


def test_unknown_call() -> None:
    """A misspelt call is an error, not an empty set."""
    with pytest.raises(
        InvalidArgument, match="'requeu'; the calls are: insert, insert replace, insert debounce, claim"
    ):
        TRANSITIONS.sources("requeu")

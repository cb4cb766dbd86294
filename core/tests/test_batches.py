"""What a call of the contract is given in batches."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
from tallystick import Cancel, Claim, Complete, Discard, Failure, Filter, InvalidArgument, NewRecord, State, batches

from .helpers import stored

CHECKS: dict[Callable[[Any, int], None], object] = {
    batches.records: NewRecord(kind="echo"),
    batches.claims: Claim(uuid4(), 1),
    batches.outcomes: Cancel(Claim(uuid4(), 1)),
    batches.ids: uuid4(),
}


class Kinds(StrEnum):
    """Names as applications keep them."""

    MAIL = "mail"


@pytest.mark.parametrize("check", CHECKS)
def test_a_batch(check: Callable[[Any, int], None]) -> None:
    """A list, a tuple and nothing at all are batches; one item more than the maximum is too many."""
    item = CHECKS[check]
    check([item], 1)
    check((item,), 1)
    check([], 1)
    with pytest.raises(InvalidArgument, match="from 0 to 1"):
        check([item, item], 1)


@pytest.mark.parametrize("check", CHECKS)
def test_no_batch(check: Callable[[Any, int], None]) -> None:
    """A single item, a string, bytes, a mapping, a generator, and an item of another type are refused."""
    item = CHECKS[check]
    for wrong in (item, "text", b"", {}, None, 7, (item for _ in range(1)), [item, 7], [item, "a"], [stored()]):
        with pytest.raises(InvalidArgument):
            check(wrong, 9)


def test_no_order() -> None:
    """A set is no batch of what is answered in the order given; of ids it is one."""
    batches.ids({uuid4()}, 9)
    for check in (batches.records, batches.claims, batches.outcomes):
        wrong: Any = set()
        with pytest.raises(InvalidArgument, match="no order"):
            check(wrong, 9)


@pytest.mark.parametrize("field", ["ids", "states", "kinds", "queues", "tags"])
@pytest.mark.parametrize("wrong", ["default", State.PENDING, b"default", {"default": 1}, uuid4(), 7, [7], [None], [""]])
def test_filter_of_no_collection(field: str, wrong: object) -> None:
    """A filter refuses a bare string, and whatever is no collection of what it filters by, and names the field."""
    with pytest.raises(InvalidArgument, match=field):
        Filter(**{field: wrong})  # type: ignore[arg-type]  # wrong on purpose


def test_filter_keeps_tuples() -> None:
    """A filter keeps tuples: states by name are states, and a list that changes later changes nothing."""
    kinds = ["mail"]
    filter = Filter(kinds=kinds, states=["pending"])  # type: ignore[list-item]  # as a program in a hurry has it
    kinds.append("other")
    assert filter == Filter(kinds=("mail",), states=(State.PENDING,))


@pytest.mark.parametrize("wrong", [None, UUID(int=1), "default", {}])
def test_no_filter(wrong: Any) -> None:
    """What is no filter is refused where one is meant."""
    with pytest.raises(InvalidArgument, match="must be a Filter"):
        batches.filter(wrong, 9)


@pytest.mark.parametrize("attempt", [-1, 2**63, 2**70, True, 1.0, "1", None])
def test_attempt_that_no_store_can_compare(attempt: Any) -> None:
    """A claim of an attempt that is no whole number of 63 bits is refused, in an extension and in every outcome."""
    claim = Claim(uuid4(), attempt)
    with pytest.raises(InvalidArgument, match="attempt of a claim"):
        batches.claims([claim], 9)
    with pytest.raises(InvalidArgument, match="attempt of a claim"):
        Complete(claim)


def test_outcome_of_no_failure() -> None:
    """An outcome refuses an error that is no failure, a claim that is none, and a result that is not bytes."""
    claim: Any = Claim(uuid4(), 1)
    wrong: Any = "text"
    with pytest.raises(InvalidArgument, match="must be a Failure"):
        Discard(claim, wrong)
    with pytest.raises(InvalidArgument, match="must be a Claim"):
        Discard(wrong, Failure("E", "m"))
    with pytest.raises(InvalidArgument, match="must be bytes"):
        Complete(claim, wrong)


def test_members_of_enums_are_stored_as_text() -> None:
    """A name that is a member of an enum is kept as a plain string, as every store returns it."""
    new = NewRecord(kind=Kinds.MAIL, queue=Kinds.MAIL, unique_key=Kinds.MAIL, tags=(Kinds.MAIL,))
    assert {type(name) for name in (new.kind, new.queue, new.unique_key, *new.tags)} == {str}
    assert new.kind == "mail"

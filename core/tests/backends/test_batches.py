"""Validation of the batches that callers pass to a backend."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
from tallystick import Cancel, Claim, Complete, Discard, Failure, Filter, InvalidArgument, NewRecord, State
from tallystick.backends import batches

from ..helpers import stored

CHECKS: dict[Callable[[Any, int], None], object] = {
    batches.records: NewRecord(kind="echo"),
    batches.claims: Claim(uuid4(), 1),
    batches.outcomes: Cancel(Claim(uuid4(), 1)),
    batches.ids: uuid4(),
}


class Kinds(StrEnum):
    """Names that an application keeps in an enum."""

    MAIL = "mail"


@pytest.mark.parametrize("check", CHECKS)
def test_a_batch(check: Callable[[Any, int], None]) -> None:
    """A list, a tuple and an empty list are batches; more items than the maximum are rejected."""
    item = CHECKS[check]
    check([item], 1)
    check((item,), 1)
    check([], 1)
    with pytest.raises(InvalidArgument, match="from 0 to 1"):
        check([item, item], 1)


@pytest.mark.parametrize("check", CHECKS)
def test_no_batch(check: Callable[[Any, int], None]) -> None:
    """A single item, a string, bytes, a mapping, a generator, and an item of another type are rejected."""
    item = CHECKS[check]
    for wrong in (item, "text", b"", {}, None, 7, (item for _ in range(1)), [item, 7], [item, "a"], [stored()]):
        with pytest.raises(InvalidArgument):
            check(wrong, 9)


def test_no_order() -> None:
    """A set is rejected where results come in the order given; a set of ids is accepted."""
    batches.ids({uuid4()}, 9)
    for check in (batches.records, batches.claims, batches.outcomes):
        wrong: Any = set()
        with pytest.raises(InvalidArgument, match="no order"):
            check(wrong, 9)


@pytest.mark.parametrize("field", ["ids", "states", "kinds", "queues", "tags"])
@pytest.mark.parametrize("wrong", ["default", State.PENDING, b"default", {"default": 1}, uuid4(), 7, [7], [None], [""]])
def test_filter_of_no_collection(field: str, wrong: object) -> None:
    """A filter rejects a bare string and any value of the wrong type, and the error names the field."""
    with pytest.raises(InvalidArgument, match=field):
        Filter(**{field: wrong})  # type: ignore[arg-type]  # wrong on purpose


def test_filter_keeps_tuples() -> None:
    """A filter converts its collections to tuples and its states to `State`; later changes to a list have no effect."""
    kinds = ["mail"]
    filter = Filter(kinds=kinds, states=["pending"])  # type: ignore[list-item]  # users pass names
    kinds.append("other")
    assert filter == Filter(kinds=("mail",), states=(State.PENDING,))


@pytest.mark.parametrize("wrong", [None, UUID(int=1), "default", {}])
def test_no_filter(wrong: Any) -> None:
    """A value that is not a Filter is rejected."""
    with pytest.raises(InvalidArgument, match="must be a Filter"):
        batches.filter(wrong, 9)


@pytest.mark.parametrize("attempt", [-1, 2**63, 2**70, True, 1.0, "1", None])
def test_attempt_that_no_store_can_compare(attempt: Any) -> None:
    """An extension and every outcome reject a claim unless its attempt is an integer that fits 63 bits."""
    claim = Claim(uuid4(), attempt)
    with pytest.raises(InvalidArgument, match="attempt of a claim"):
        batches.claims([claim], 9)
    with pytest.raises(InvalidArgument, match="attempt of a claim"):
        Complete(claim)


def test_outcome_of_no_failure() -> None:
    """An outcome rejects an error that is no Failure, a claim that is no Claim, and a result that is not bytes."""
    claim: Any = Claim(uuid4(), 1)
    wrong: Any = "text"
    with pytest.raises(InvalidArgument, match="must be a Failure"):
        Discard(claim, wrong)
    with pytest.raises(InvalidArgument, match="must be a Claim"):
        Discard(wrong, Failure("E", "m"))
    with pytest.raises(InvalidArgument, match="must be bytes"):
        Complete(claim, wrong)


def test_members_of_enums_are_stored_as_text() -> None:
    """A name that is an enum member is stored as a plain string, as every store returns it."""
    new = NewRecord(kind=Kinds.MAIL, queue=Kinds.MAIL, unique_key=Kinds.MAIL, tags=(Kinds.MAIL,))
    assert {type(name) for name in (new.kind, new.queue, new.unique_key, *new.tags)} == {str}
    assert new.kind == "mail"

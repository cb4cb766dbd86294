"""Each sentence of the contract has its clauses, and each clause has a sentence."""

from types import ModuleType

import pytest
from tallystick_conformance import CLAUSES
from tallystick_conformance.contract import promises
from tallystick_conformance.contract.promises import (
    NOTHING,
    Units,
    clauses_of,
    promised_by,
    sentences,
    tied_sentences,
    ties,
    ties_of,
)

ADVICE = "list one tie for each sentence in tallystick_conformance/promises.toml, and write the missing clauses"


def test_each_sentence_of_the_contract_is_tied() -> None:
    """Each unit of a docstring has as many ties as sentences, so an added or removed sentence fails here."""
    tied, written = (
        {(part, unit): len(entries) for part, units in table.items() for unit, entries in units.items()}
        for table in (ties(), sentences())
    )

    assert tied == written, ADVICE


@pytest.mark.parametrize("part", ties())
def test_each_tie_names_clauses_or_a_reason(part: str) -> None:
    """Each tie names clauses that the kit has, or states the reason for having none."""
    for tie in ties_of(part):
        if tie.startswith(NOTHING):
            assert len(tie) > 3
        else:
            for word in tie.split():
                assert clauses_of(word), f"{word} is not a clause: {tie}"


def test_each_clause_is_promised() -> None:
    """The kit tests nothing that the contract does not promise."""
    assert [id for id in CLAUSES if not promised_by()[id]] == []


def test_a_docstring_is_read_by_units_and_sentences() -> None:
    """Labels, arguments, errors, `Returns` and named bullets are units; paragraphs and plain bullets are `text`."""
    assert promises._by_unit(DOCSTRING) == {
        "text": ["Do a thing.", "It is quick.", "First.", "Second."],
        "Batches": ["*Batches.* One or more.", "`None` is none."],
        "When": ["When: always; see e.g. the clock.", "Never late."],
        "limit": ["limit: 1 or more."],
        "Returns": ["The records.", "Empty otherwise."],
        "Closed": ["Closed: after `close`."],
    }


DOCSTRING = """Do a thing.

It is
quick.

- *Batches.* One or more. `None` is none.
- First.
- Second.

When: always; see e.g. the clock.
    Never late.

Args:
    limit: 1 or more.

Returns:
    The records. Empty otherwise.

Raises:
    Closed: after `close`.
"""


def test_the_public_parts_of_the_contract_are_read() -> None:
    """Modules, classes, methods, fields and the errors of a store are parts of the contract."""
    assert {"backend", "Backend", "Backend.claim", "Filter.tags", "Retry", "Unavailable"} <= sentences().keys()
    assert "JobDiscarded" not in sentences()


def test_each_sentence_is_shown_with_its_own_tie() -> None:
    """A sentence and its tie have the same place in their unit."""
    shown = dict(tied_sentences()["Backend.claim"])
    last = sentences()["Backend.claim"]["Returns"][-1]

    assert shown[last] == ties()["Backend.claim"]["Returns"][-1]


def test_an_added_part_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new method, field or error of a store is part of the contract as soon as it has a docstring."""
    parts = promises._parts

    def with_more(module: ModuleType) -> list[tuple[str, str]]:
        return [*parts(module), ("Backend.hold", "Hold. It is new.")]

    monkeypatch.setattr(promises, "_parts", with_more)

    assert sentences()["Backend.hold"] == Units(text=["Hold.", "It is new."])

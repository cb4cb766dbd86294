"""The contract sentence by sentence: each has its clauses, and each clause its sentence."""

from types import ModuleType

import pytest
from tallystick_conformance import CLAUSES
from tallystick_conformance.promises import NOTHING, clauses_of, promised_by, sentences, ties

WAY_ON = "tie it to its clauses in tallystick_conformance/promises.toml, and write those that are missing"


def test_each_sentence_of_the_contract_is_tied() -> None:
    """A sentence that was changed or added has no entry in the table, and one that was removed has one too many."""
    tied = {part: list(entries) for part, entries in ties().items()}
    written = sentences()

    assert {part: [s for s in found if s not in tied.get(part, ())] for part, found in written.items()} == {
        part: [] for part in written
    }, WAY_ON
    assert tied == written


@pytest.mark.parametrize("part", ties())
def test_each_tie_names_clauses_or_a_reason(part: str) -> None:
    """There is no clause that the kit does not have, and no sentence without a clause or a reason."""
    for sentence, tie in ties()[part].items():
        if tie.startswith(NOTHING):
            assert len(tie) > 3, sentence
        else:
            for word in tie.split():
                assert clauses_of(word), f"{word} is no clause: {sentence}"


def test_each_clause_is_promised() -> None:
    """The kit asks for nothing that the contract does not say."""
    assert [id for id in CLAUSES if not promised_by()[id]] == []


def test_a_docstring_is_read_by_sentences() -> None:
    """Paragraphs, sections, arguments and bullets are units, and each unit is cut at its sentences."""
    written = sentences()

    assert written["Backend.pause"] == [
        "Stop handing out a queue's jobs, on every worker, until `resume`; kept in the store.",
        "Repeat: harmless.",
    ]
    assert "limit: The most jobs to claim, 1 or more." in written["Backend.claim"]
    assert "Empty when nothing is due." in written["Backend.claim"]
    assert "*Claims.* `claim` hands out `Claim(id, attempt)`." in written["backend"]
    assert written["Filter.tags"] == ["At least one of these."]


def test_what_is_added_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new method, field and error of a store are parts of the contract as soon as they have a docstring."""
    from tallystick_conformance import promises  # noqa: PLC0415 - to be given another module

    parts = promises._parts

    def with_more(module: ModuleType) -> list[tuple[str, str]]:
        return [*parts(module), ("Backend.hold", "Hold. It is new.")]

    monkeypatch.setattr(promises, "_parts", with_more)

    assert sentences()["Backend.hold"] == ["Hold.", "It is new."]

"""The steps of mutants: each applies to the plugin as it is."""

import pytest
from tallystick_mutants import MUTANTS
from tallystick_mutants.patch import SQLITE, Broken, Step


def _fault(step: Step) -> str:
    try:
        step.check()
    except (LookupError, SyntaxError) as exc:
        return repr(exc)
    return ""


def test_each_step_finds_what_it_replaces() -> None:
    """No mutant patches a statement, function or name that its plugin no longer has. This needs no server."""
    steps = {mutant.name: mutant.make.steps for mutant in MUTANTS if isinstance(mutant.make, Broken)}

    assert {name: fault for name, each in steps.items() for step in each if (fault := _fault(step))} == {}


@pytest.mark.parametrize(
    "step",
    [
        SQLITE.patch("claim", "no such text", ""),
        SQLITE.edit("rows.record", {"no such text": ""}),
        SQLITE.put("rows.no_such_name", lambda value: value),
    ],
)
def test_a_step_that_finds_nothing_raises(step: Step) -> None:
    """A step raises LookupError if the plugin has changed, both when it is checked and when it is taken."""
    with pytest.raises(LookupError, match="the plugin has changed: adapt this mutant"):
        step.check()
    with pytest.raises(LookupError):
        step.take()

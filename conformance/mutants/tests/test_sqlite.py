"""Mutants of the SQLite backend."""

from pathlib import Path

import pytest
from tallystick_conformance import Mutant
from tallystick_mutants import MUTANTS
from tallystick_sqlite import SqliteBackend


def _is_class(mutant: Mutant) -> bool:
    return isinstance(mutant.make, type) and issubclass(mutant.make, SqliteBackend)


@pytest.mark.parametrize("mutant", [*filter(_is_class, MUTANTS)], ids=lambda mutant: mutant.name)
def test_a_mutant_can_be_opened(tmp_path: Path, mutant: Mutant) -> None:
    """The statement that the mutant changes exists, and its store can be set up and removed."""
    assert isinstance(mutant.make, type)
    assert issubclass(mutant.make, SqliteBackend)
    with mutant.make.from_url(f"sqlite:///{tmp_path}/mutant.db") as backend:
        backend.setup()
        backend.teardown()

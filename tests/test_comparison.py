"""The page that compares features names tests and clauses that exist."""

import re
from pathlib import Path

from tallystick_conformance.contract.clauses import CLAUSES

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "comparison.md").read_text()


def test_each_test_of_the_page_exists() -> None:
    """A row is true only as long as its test is in the named file."""
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 12
    for file, function in named:
        assert (ROOT / file).exists(), file
        assert not function or f"def {function}(" in (ROOT / file).read_text(), function


def test_each_clause_of_the_page_exists() -> None:
    """The kit has the clauses that the page names."""
    ids = CLAUSES.keys()
    named = re.findall(r"\b[A-Z]+-\d\d\b", PAGE)
    assert named
    assert set(named) <= ids


def test_a_feature_is_yes_planned_or_no() -> None:
    """Only a feature that exists names a test."""
    table = PAGE.partition("## ")[0]
    rows = [row.split("|")[3:5] for row in table.splitlines() if row.startswith("| ")][1:]
    assert len(rows) >= 15
    for answer, test in rows:
        word = answer.strip().partition(":")[0]
        assert word in {"yes", "planned", "no"}
        assert bool(test.strip()) == (word == "yes"), answer

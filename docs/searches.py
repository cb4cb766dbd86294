"""The page of the medians of searches, from the JSON that `nox -s bench_search -- --write` writes."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests" / "bench"))

import search_tables  # the tests are not installed


def page() -> str:
    """Return the page."""
    return search_tables.page(json.loads((HERE / "search.json").read_text(encoding="utf-8")))

"""The page of the medians of searches, from the JSON that `nox -s bench_search -- --write` writes."""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from bench import search_tables  # the tests are not installed

RESULTS = Path(__file__).parent / "search.json"


def page() -> str:
    """Return the page."""
    return search_tables.page(json.loads(RESULTS.read_text(encoding="utf-8")))

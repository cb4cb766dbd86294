"""The page of the comparison with other libraries, from the JSON that `nox -s bench_peers -- --write` writes."""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from bench.peers import peers_page  # the tests are not installed

RESULTS = Path(__file__).parent / "peers.json"


def page() -> str:
    """Return the page."""
    return peers_page.page(_results())


def charts() -> dict[str, str]:
    """Return the charts of the page, by their paths."""
    return {f"images/{name}": chart for name, chart in peers_page.charts(_results()).items()}


def _results() -> dict[str, Any]:
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return results

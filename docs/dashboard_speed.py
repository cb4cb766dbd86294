"""The page of the dashboard's times, from the JSON that `nox -s bench_dashboard -- --write` writes."""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from bench import dashboard_table  # the tests are not installed

RESULTS = Path(__file__).parent / "dashboard_speed.json"


def page() -> str:
    """Return the page."""
    return dashboard_table.page(json.loads(RESULTS.read_text(encoding="utf-8")))

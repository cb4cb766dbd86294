"""The page of the workloads, from the JSON that `nox -s bench_workloads -- --write` writes."""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from bench.workloads import workloads_page  # the tests are not installed

RESULTS = Path(__file__).parent / "workloads.json"


def page() -> str:
    """Return the page."""
    return workloads_page.page(json.loads(RESULTS.read_text(encoding="utf-8")))

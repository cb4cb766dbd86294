"""The chart of a benchmark's results."""

from .chart import Bar, Group, svg
from .results import Results
from .works import JOBS, MILLISECONDS


def results_chart(results: Results) -> str:
    """Return the chart as SVG. The limits have another colour."""
    titles = {JOBS: "jobs per second", MILLISECONDS: "pick-up latency, milliseconds"}
    groups = []
    for unit, title in titles.items():
        bars = [Bar(r.name, r.median, not r.name.startswith("limit")) for r in results.results if r.unit == unit]
        if bars:
            groups.append(Group(title, bars))
    return svg(f"{results.distribution}: medians of {results.rounds} rounds", groups)

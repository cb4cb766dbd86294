"""The page of the documentation with the medians of `search.py`."""

from collections.abc import Mapping
from typing import Any

GOAL = 50
"""Milliseconds. A larger median is printed in bold."""

_HEAD = """\
# Searches

This page lists how long the searches of a dashboard take in a store of {records:,} records. Each number is the median
of {calls} calls in milliseconds (of three, for calls of more than 0.1 s). A median above {goal} ms is bold. The numbers
include the client. They were measured on {date} on this machine: {machine}.
Run `nox -s bench_search` to measure on your machine.

The records have finished within 60 days, except for 5 % that wait. They have 3 queues, 20 kinds, 30 workers and 8 types
of errors; 2 % are discarded, and 5 % have tags. Two kinds, a type of errors and a tag have ten records or fewer.

Each cell about pages has the medians of the first page, of a page in the middle of the matches, and of one near their
end. A page has 50 records. A count ends at 1,000.

## Optional indexes

Some searches read many records, because no index has the records that they want. These indexes would slow down every
job. If you search often, create them:

```console
tallystick setup 'postgresql://host/database?search=true'
```

`search=false` drops them again. Without the option, `setup` leaves them as they are. The other clients need no option.
`tallystick doctor` reports whether the indexes exist.

- On PostgreSQL, `setup` creates indexes of kinds, queues and workers, with `CREATE INDEX CONCURRENTLY`. A job that is
  inserted, claimed and settled then writes 2.1 kB to the write-ahead log, instead of 1.4 kB.
- On SQLite, `setup` also creates a ledger of counts, which triggers keep. So `stats` does not read every record. Other
  processes cannot write while `setup` creates them: 10 to 20 s for a million records. A commit of one new job then
  writes 6.8 pages, instead of 3.4. In large batches, a job writes a quarter more pages.

## Limits

These searches may take longer, also with the optional indexes:

- A filter of several fields that many jobs match each, but few match together, such as a worker and a state. The page
  reads jobs in its order until it is full. Add a range of times, or order discarded jobs by `finished_at`.
- Pages of waiting jobs by `id`, at their end, if 100,000 or more jobs wait. Use the order `run_at`.
- Pages by `run_at` with a filter that few waiting jobs match. They read every waiting job.
- Pages by `finished_at` of jobs with an error that were created before a time. They read all later errors.
- Jobs that finish more than an hour after they were created. A range of `created_at` or `finished_at` has an index for
  them, and costs more if most jobs are such. Each of them writes 90 bytes more to the write-ahead log of PostgreSQL.
- Ids that you choose yourself. A range of `created_at` finds a UUIDv7 within ten minutes of its time by its id. Other
  ids have an index of their own, and cost more.
- The text of errors. The search reads an index of all errors: about 1 ms for 2,000 errors.
- `stats` on SQLite without the optional indexes. It reads every record. With them, it takes about 10 ms.
"""


def page(results: Mapping[str, Any]) -> str:
    """Return the page."""
    head = _HEAD.format_map({**results, "goal": GOAL})
    return "\n".join([head, *(_store(name, store) for name, store in results["stores"].items())])


def _store(name: str, store: Mapping[str, Any]) -> str:
    pages = "\n".join(
        f"| {filter} | " + " | ".join(" / ".join(map(_shown, cell)) for cell in cells) + " |"
        for filter, cells in store["pages"].items()
    )
    calls = "\n".join(f"| {call} | {_shown(value)} |" for call, value in store["calls"].items())
    return (
        f"## {name}\n\n{store['version']}.\n\n"
        f"| filter | by id | by finished_at | by run_at | count |\n| --- | ---: | ---: | ---: | ---: |\n{pages}\n\n"
        f"| call | ms |\n| --- | ---: |\n{calls}\n"
    )


def _shown(value: float) -> str:
    text = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
    return f"**{text}**" if value > GOAL else text

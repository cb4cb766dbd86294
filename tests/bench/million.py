"""The command of the benchmarks that measure stores with a million records, and the file with their results."""

import argparse
import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import search_fill
from servers import postgres
from tallystick import open_backend
from tallystick.bench.machine import in_words, this_machine

SEARCH = {"false": "", "true": " with `search=true`"}


def run(
    description: str | None,
    measure: Callable[[str, int], dict[str, Any]],
    page: Callable[[dict[str, Any]], str],
    results: Path,
    **repeats: int,
) -> None:
    """Fill the stores, measure each without and with the optional indexes, and print the page.

    Args:
        description: The text of `--help`.
        measure: Takes a URL and a number of repeats, and returns the figures of the store with its `version`.
        page: Returns the page about the results.
        results: The file for the results. With `--write`, stores that were not measured keep theirs.
        repeats: The name of the option for the number of repeats, with its default.
    """
    [(word, default)] = repeats.items()
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("urls", nargs="*", metavar="URL", help="a store of PostgreSQL or SQLite, by default new ones")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument(f"--{word}", type=int, default=default, dest="repeats")
    parser.add_argument("--filled", action="store_true", help="the stores are filled already")
    parser.add_argument("--write", action="store_true", help=f"record the results in docs/{results.name}")
    options = parser.parse_args()
    machine = in_words(this_machine())
    stores: dict[str, Any] = {}
    with ExitStack() as stack:
        urls = options.urls
        if not urls:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            urls = [f"sqlite:///{Path(folder) / 'million.db'}", stack.enter_context(postgres(None))]
        for url in urls:
            if not options.filled:
                search_fill.fill(url, options.records)
            for search, suffix in SEARCH.items():
                with open_backend(f"{url}?search={search}") as backend:
                    backend.setup()
                found = measure(url, options.repeats)
                stores[found["version"].split()[0] + suffix] = found
    described = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine,
        "records": options.records,
        word: options.repeats,
        "stores": stores,
    }
    if options.write:
        if results.exists():
            described["stores"] = json.loads(results.read_text(encoding="utf-8"))["stores"] | stores
        results.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    print(page(described))

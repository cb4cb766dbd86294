"""Run the conformance kit on MongoDB: `PYTHONPATH=tests python tests/prove_mongo.py [--profile quick] [--ways ...]`.

By default the kit runs twice on the tests' server: as a single node, and as the primary of a replica set, which has
transactions. TALLYSTICK_TEST_MONGO_URL names another server, on which the kit runs once.
"""

import argparse
import os
import sys
from typing import Literal, get_args

from servers import mongo_server
from tallystick_conformance import conform
from tallystick_conformance.harness.profiles import PROFILES
from tallystick_conformance.reports.terminal import described

Profile = Literal["quick", "standard"]

SLOW = {"COST-01": "docs/mongo.md#how-it-is-tested"}
"""Clauses that the tests' server fails: it reads all documents of a collection for every search except by id."""

PATIENCE = 4
"""How many times the usual time the generated programs may take: the tests' server needs that much for its calls."""

WAYS = {"single node": 0, "transactions": 1}
"""The number of members of the server's replica set."""


def main() -> None:
    """Run the kit in each way, and exit with 1 if one of them does not conform."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=get_args(Profile), default="quick")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    if url := os.environ.get("TALLYSTICK_TEST_MONGO_URL"):
        sys.exit(not prove("TALLYSTICK_TEST_MONGO_URL", url, options.profile, {}))
    size = PROFILES[options.profile]
    PROFILES[options.profile] = size._replace(program_seconds=PATIENCE * size.program_seconds)
    passed = []
    for way in options.ways:
        with mongo_server(members=WAYS[way]) as server:
            passed.append(prove(way, server.url, options.profile, SLOW))
    sys.exit(not all(passed))


def prove(way: str, url: str, profile: Profile, known: dict[str, str]) -> bool:
    """Run the kit, print its result, and return whether the backend conforms."""
    report = conform(url, profile=profile, known_failures=known)
    print(f"{way}: {report.verdict}\n{described(report)}\n", flush=True)
    return report.passed


if __name__ == "__main__":
    main()

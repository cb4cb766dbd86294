"""Diagnose a deployment and its store for `tallystick doctor`, without changes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from tallystick import Finding, NotSetUp
from tallystick.diagnostics import fault, ok, warning

from . import schema, staging
from .collections import Collections
from .connection import Connection, Deployment
from .location import Location

CLOCK = timedelta(seconds=1)
"""The maximum difference between the clocks of server and client. It shifts each `run_at` that the client computes."""

THREADS = 4
"""The number of a worker's threads that use the store: to claim, settle, extend leases and run maintenance."""


def diagnose(connection: Connection, location: Location, concurrency: int | None) -> Iterator[Finding]:
    """Yield the findings of all checks."""
    before = datetime.now(UTC)
    hello = connection.client.admin.command("hello")
    after = datetime.now(UTC)
    deployment = Deployment.of(hello)
    yield ok("protocol version", f"{hello['maxWireVersion']}")
    yield from _deployment(deployment, notify=location.options.notify)
    yield _write_concern(connection)
    yield _clock(before, hello["localTime"].replace(tzinfo=UTC), after)
    yield _pool(connection, concurrency)
    store = connection.unchecked()
    try:
        schema.check(store, location)
    except NotSetUp as exc:
        yield fault("schema version", str(exc), "run `tallystick setup` with this URL, or upgrade tallystick-mongo")
        return
    yield ok("schema version", f"{schema.VERSION} of {schema.VERSION}")
    yield _indexes(store)
    yield _batches(store)


def _deployment(deployment: Deployment, *, notify: bool) -> Iterator[Finding]:
    if not deployment.has_transactions:
        yield warning(
            "deployment",
            deployment.kind,
            "it supports neither transactions nor change streams, and stores the jobs on one disk only; workers poll "
            "for new jobs at their poll interval. Make it a replica set (one member is enough for both features)",
        )
    else:
        yield ok("deployment", deployment.kind)
    if not deployment.writable:
        yield fault(
            "primary",
            "this server is not the primary",
            "remove directConnection=true from the URL, or use the primary's host",
        )
    else:
        yield ok("primary", "this server is the primary")
    if deployment.has_transactions:
        found = "through a change stream" if notify else "off: workers poll for jobs at their poll interval"
        yield ok("notifications", found)


def _write_concern(connection: Connection) -> Finding:
    concern = connection.client.write_concern.document
    found = ", ".join(f"{name}={value}" for name, value in concern.items())
    if concern.get("w") != "majority" or not concern.get("j"):
        return warning(
            "write concern",
            found,
            "acknowledged writes may be lost if a server dies; remove w and journal from the URL",
        )
    return ok("write concern", found)


def _clock(before: datetime, clock: datetime, after: datetime) -> Finding:
    """Compare the clocks. The client read its own before and after the server's."""
    off = max(before - clock, clock - after, timedelta(0))
    found = f"the server's clock is {off.total_seconds():.3f} s {'behind' if clock < before else 'ahead'}"
    if off > CLOCK:
        return warning("clock", found, "synchronize both with NTP; until then, use delays instead of times as run_at")
    return ok("clock", found)


def _pool(connection: Connection, concurrency: int | None) -> Finding:
    size = connection.client.options.pool_options.max_pool_size
    found = f"maxPoolSize is {size}" + (f", concurrency {concurrency}" if concurrency else "")
    if size is not None and size < THREADS:
        return warning("pool size", found, f"set maxPoolSize={THREADS} or more, or remove it from the URL")
    return ok("pool size", found)


def _indexes(store: Collections) -> Finding:
    collections = (store.jobs, store.schedules, store.meters)
    found = dict(chain.from_iterable(collection.index_information().items() for collection in collections))
    indexes = (*schema.INDEXES, *chain.from_iterable(schema.REGISTER_INDEXES.values()))
    wanted = {index.document["name"]: index.document for index in indexes}
    missing = sorted(wanted.keys() - found.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if not _alike(wanted[name], found[name]))
    if missing or other:
        problems = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"changed: {', '.join(other)}"] * bool(other)
        return fault(
            "indexes",
            "; ".join(problems),
            "stop the workers, drop the changed indexes, and create those of tallystick_mongo.schema: "
            "jobs.create_indexes(list(INDEXES)), and those of REGISTER_INDEXES",
        )
    return ok("indexes", f"all {len(wanted)} exist")


def _alike(wanted: Any, found: Any) -> bool:
    return (
        list(wanted["key"].items()) == [tuple(pair) for pair in found["key"]]
        and bool(wanted.get("unique")) == bool(found.get("unique"))
        and dict(wanted["partialFilterExpression"]) == dict(found.get("partialFilterExpression", {}))
    )


def _batches(store: Collections) -> Finding:
    count = store.batches.count_documents({"_id": {"$lt": staging.abandoned_before()}})
    if count:
        return warning(
            "unfinished batches",
            f"{count} by writers that died more than a minute ago",
            "a running worker finishes them: check that one runs, or run `tallystick setup`",
        )
    return ok("unfinished batches", "none older than a minute")

"""How a store is: what `tallystick doctor` shows. It changes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Finding, NotSetUp
from tallystick.diagnostics import fault, ok, warning

from . import schema, staging
from .collections import Collections
from .connection import Connection, Deployment
from .location import Location

CLOCK = timedelta(seconds=1)
"""How far apart the clocks of server and client may be: a `run_at` of a client's making is off by as much."""

THREADS = 4
"""How many threads of a worker use the store: those that claim, settle, extend leases and maintain."""


def diagnose(connection: Connection, location: Location, concurrency: int | None) -> Iterator[Finding]:
    """Yield what there is to say of a store."""
    before = datetime.now(UTC)
    hello = connection.client.admin.command("hello")
    after = datetime.now(UTC)
    deployment = Deployment.of(hello)
    yield ok("protocol version", f"{hello['maxWireVersion']}")
    yield from _deployment(deployment, notify=location.options.notify)
    yield _write_concern(connection)
    yield _clock(before, hello["localTime"].replace(tzinfo=UTC), after)
    yield _pool(connection, concurrency)
    store = connection.any
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
            "it has neither transactions nor change streams, and one disk is all that keeps the jobs; workers look for "
            "new jobs at their poll interval. Make it a replica set, of one member at least",
        )
    else:
        yield ok("deployment", deployment.kind)
    if not deployment.writable:
        yield fault("primary", "this server is none", "leave directConnection=true away, or name the primary")
    else:
        yield ok("primary", "this server is one")
    if deployment.has_transactions:
        found = "by a change stream" if notify else "off: workers look for jobs at their poll interval"
        yield ok("notifications", found)


def _write_concern(connection: Connection) -> Finding:
    asked = connection.client.write_concern.document
    found = ", ".join(f"{name}={value}" for name, value in asked.items())
    if asked.get("w") != "majority" or not asked.get("j"):
        return warning(
            "write concern",
            found,
            "what was acknowledged may be lost when a server dies; leave w and journal away from the URL",
        )
    return ok("write concern", found)


def _clock(before: datetime, clock: datetime, after: datetime) -> Finding:
    """Compare clocks: the server's was read at some moment between two of ours."""
    off = max(before - clock, clock - after, timedelta(0))
    found = f"the server's is {off.total_seconds():.3f} s {'behind' if clock < before else 'ahead'}"
    if off > CLOCK:
        return warning("clock", found, "keep both in time by NTP; until then give delays, not moments, as run_at")
    return ok("clock", found)


def _pool(connection: Connection, concurrency: int | None) -> Finding:
    size = connection.client.options.pool_options.max_pool_size
    found = f"maxPoolSize is {size}" + (f", concurrency {concurrency}" if concurrency else "")
    if size is not None and size < THREADS:
        return warning("pool size", found, f"write maxPoolSize={THREADS} at least, or leave it away")
    return ok("pool size", found)


def _indexes(store: Collections) -> Finding:
    found = store.jobs.index_information()
    wanted = {index.document["name"]: index.document for index in schema.INDEXES}
    missing = sorted(wanted.keys() - found.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if not _alike(wanted[name], found[name]))
    if missing or other:
        told = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"not as made: {', '.join(other)}"] * bool(other)
        return fault(
            "indexes",
            "; ".join(told),
            "drop those that are not as made; then, with workers stopped, make them as "
            "tallystick_mongo.schema.INDEXES says: collection.create_indexes(list(INDEXES))",
        )
    return ok("indexes", f"all {len(wanted)} are there")


def _alike(wanted: Any, found: Any) -> bool:
    return (
        list(wanted["key"].items()) == [tuple(pair) for pair in found["key"]]
        and bool(wanted.get("unique")) == bool(found.get("unique"))
        and dict(wanted["partialFilterExpression"]) == dict(found.get("partialFilterExpression", {}))
    )


def _batches(store: Collections) -> Finding:
    left = store.batches.count_documents({"_id": {"$lt": staging.long_ago()}})
    if left:
        return warning(
            "unfinished batches",
            f"{left} of writers that died more than a minute ago",
            "a worker's rescue brings them to their end: see that one runs; `tallystick setup` does so too",
        )
    return ok("unfinished batches", "none is old")

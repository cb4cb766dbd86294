"""A MongoDB server for tests: mongoeco, which speaks MongoDB's protocol, in its own environment.

It prints its port once it accepts connections. The patches below make mongoeco faster, report more details, or offer
its in-process features to clients. A function that fixes a defect says which one.
"""

import argparse
import asyncio
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cmp_to_key, partial
from itertools import count
from typing import Any
from uuid import UUID

from mongoeco._change_streams.hub import ChangeStreamHub
from mongoeco.core.compiled_query import CompiledQuery
from mongoeco.core.filtering import QueryEngine
from mongoeco.core.query_plan import AndCondition, InCondition, LessThanCondition
from mongoeco.engines import memory, semantic_core
from mongoeco.engines.memory import MemoryEngine
from mongoeco.engines.sqlite import SQLiteEngine
from mongoeco.errors import OperationFailure
from mongoeco.session import ClientSession
from mongoeco.wire._executor_handlers import WireSpecialCommandHandlers
from mongoeco.wire._executor_validation import _WIRE_COMMAND_VALIDATORS
from mongoeco.wire.bson_bridge import ObjectId, Timestamp
from mongoeco.wire.handshake import WireHandshakeService
from mongoeco.wire.proxy import AsyncMongoEcoProxyServer


def find_ids_by_key() -> None:
    """Find ids by key, because mongoeco scans all documents at each insert and at some searches for ids."""
    ensure, candidates = MemoryEngine._ensure_unique_indexes, MemoryEngine._candidate_items_for_plan_locked

    def ensure_unique_indexes(self: Any, *args: Any, **kwargs: Any) -> None:
        ensure(self, *args, **(kwargs | {"scan_payload_id": False}))

    def candidate_items(self: Any, collection: Any, plan: Any, **kwargs: Any) -> Any:
        clauses = plan.clauses if isinstance(plan, AndCondition) else (plan,)
        ids = next((c.values for c in clauses if isinstance(c, InCondition) and c.field == "_id"), None)
        if ids is None:
            return candidates(self, collection, plan, **kwargs)
        keys = dict.fromkeys(self._storage_key(value) for value in ids)
        return [(key, collection[key]) for key in keys if key in collection]

    MemoryEngine._ensure_unique_indexes = ensure_unique_indexes
    MemoryEngine._candidate_items_for_plan_locked = candidate_items


def find_values_by_set() -> None:
    """Find a value among many in a set, because mongoeco compares each document with each value."""
    written = CompiledQuery._node_to_code

    def node_to_code(self: Any, node: Any, depth: int) -> Any:
        if not isinstance(node, InCondition) or {type(value) for value in node.values} - {UUID, ObjectId, str}:
            return written(self, node, depth)
        is_member = self._store("is_one", partial(_is_member, frozenset(node.values)))
        return f"any({is_member}(candidate) for candidate in _extract(doc, {self._field(node.field)}))"

    CompiledQuery._node_to_code = node_to_code


def _is_member(values: frozenset[object], candidate: object) -> bool:
    return isinstance(candidate, Hashable) and candidate in values


def prepare_filters_once() -> None:
    """Prepare the filter of an update of many documents once, because mongoeco does so again for each document."""
    plan, prepare = semantic_core.ensure_query_plan, QueryEngine._prepare_membership_values
    latest_plan: list[Any] = [None, None]
    latest_values: list[Any] = [None, None, None]

    def ensure_query_plan(filter_spec: Any, given: Any, **kwargs: Any) -> Any:
        if given is not None:
            return given
        if filter_spec is None or filter_spec is not latest_plan[0]:
            latest_plan[:] = filter_spec, plan(filter_spec, None, **kwargs)
        return latest_plan[1]

    def prepare_membership_values(values: Any, **kwargs: Any) -> Any:
        if values is not latest_values[0] or kwargs != latest_values[1]:
            latest_values[:] = values, kwargs, prepare(values, **kwargs)
        return latest_values[2]

    semantic_core.ensure_query_plan = ensure_query_plan
    QueryEngine._prepare_membership_values = staticmethod(prepare_membership_values)


def find_fields_of_indexes() -> None:
    """Look up the field that a partial index needs, because mongoeco compiles the index's filter for each document."""
    is_in = memory.document_in_virtual_index

    def document_in_virtual_index(document: Any, index: Any, **kwargs: Any) -> Any:
        wanted = index.partial_filter_expression or {}
        if index.sparse or any("." in field or value != {"$exists": True} for field, value in wanted.items()):
            return is_in(document, index, **kwargs)
        return all(field in document for field in wanted)

    memory.document_in_virtual_index = document_in_virtual_index


class _NewestFirst(AndCondition):  # type: ignore[misc]  # mongoeco is in the server's environment only
    """A plan whose candidates are sorted by id, descending."""


def read_pages_in_order() -> None:
    """Sort the ids of a collection once between two changes, because mongoeco sorts all documents for each page."""
    scan, candidates = MemoryEngine.scan_find_semantics, MemoryEngine._candidate_items_for_plan_locked
    latest: list[Any] = [None, []]

    def scan_find_semantics(self: Any, db: str, collection: str, semantics: Any, **kwargs: Any) -> Any:
        if semantics.sort == [("_id", -1)]:
            semantics = replace(semantics, sort=None, query_plan=_NewestFirst((semantics.query_plan,)))
        return scan(self, db, collection, semantics, **kwargs)

    def candidate_items(self: Any, collection: Any, plan: Any, **kwargs: Any) -> Any:
        if not isinstance(plan, _NewestFirst):
            return candidates(self, collection, plan, **kwargs)
        [plan] = plan.clauses
        found = candidates(self, collection, plan, **kwargs)
        if not found or len(found) < len(collection):
            return _newest_first(self, found, kwargs["dialect"])
        if collection._values is not latest[0]:  # immutable, and replaced by each change
            latest[:] = collection._values, _newest_first(self, found, kwargs["dialect"])
        return _below(latest[1], plan)

    MemoryEngine.scan_find_semantics = scan_find_semantics
    MemoryEngine._candidate_items_for_plan_locked = candidate_items


def _newest_first(engine: Any, items: Sequence[Any], dialect: Any) -> Sequence[Any]:
    """Sort pairs of a storage key and a document. The key of a UUID has it as the second value."""
    if _has_uuids(items):
        return sorted(items, key=_uuid, reverse=True)
    order = cmp_to_key(dialect.policy.compare_values)
    return sorted(items, key=lambda item: order(engine._borrow_storage_document(item[1])["_id"]), reverse=True)


def _has_uuids(items: Sequence[Any]) -> bool:
    return all(key[0] == "uuid" for key, _ in items)


def _uuid(item: Any) -> int:
    return int(item[0][1])


def _below(items: Sequence[Any], plan: Any) -> Sequence[Any]:
    """Omit the items before those of a page of UUIDs."""
    clauses = plan.clauses if isinstance(plan, AndCondition) else (plan,)
    bound = next((c.value for c in clauses if isinstance(c, LessThanCondition) and c.field == "_id"), None)
    if not isinstance(bound, UUID) or not _has_uuids(items):
        return items
    return items[bisect_right(items, -bound.int, key=lambda item: -_uuid(item)) :]


def report_conflicts() -> None:
    """Report a write conflict with its code and label, and abort the transaction; mongoeco only reports it in words."""
    commit = ClientSession.commit_transaction

    def commit_transaction(self: Any) -> None:
        try:
            commit(self)
        except OperationFailure as exc:
            self.abort_transaction()
            raise OperationFailure(str(exc), code=112, error_labels=("TransientTransactionError",)) from exc

    ClientSession.commit_transaction = commit_transaction


class ChangeStreams:
    """Change streams of a database for clients; mongoeco offers them in its own process only."""

    def __init__(self) -> None:
        self._ids = count(1 << 30)  # far from the ids of other cursors
        self._open: dict[int, Any] = {}

    def serve(self) -> None:
        """Handle the commands for streams; pass all others to the server."""
        validate, dispatch = _WIRE_COMMAND_VALIDATORS["aggregate"], WireSpecialCommandHandlers.dispatch

        def validate_aggregate(body: Any, command: Any) -> None:
            if command["aggregate"] != 1:
                validate(body, command)

        async def handle(handlers: Any, context: Any) -> Any:
            command = context.command_document
            if command.get("aggregate") == 1:
                return self._watch(handlers._client.get_database(context.db_name), command["pipeline"])
            if command.get("getMore") in self._open:
                return await self._next(command["getMore"], command.get("maxTimeMS", 1_000))
            for id in command.get("cursors", ()):
                if id in self._open:
                    self._open.pop(id).close()
            return await dispatch(handlers, context)

        _WIRE_COMMAND_VALIDATORS["aggregate"] = validate_aggregate
        WireSpecialCommandHandlers.dispatch = handle

    def _watch(self, database: Any, pipeline: Sequence[Any]) -> dict[str, Any]:
        id, hub, [options, *rest] = next(self._ids), database._change_hub, pipeline
        since = options["$changeStream"].get("startAtOperationTime")
        self._open[id] = database.watch(
            rest,
            resume_after=options["$changeStream"].get("resumeAfter"),
            start_at_operation_time=since.time if since else None,
        )
        return self._batch(id, firstBatch=[]) | {"operationTime": Timestamp(hub._next_token, 1)}

    async def _next(self, id: int, milliseconds: int) -> dict[str, Any]:
        stream = self._open[id]
        stream._max_await_time_ms = milliseconds
        change = await stream.try_next()
        return self._batch(id, nextBatch=[] if change is None else [change])

    def _batch(self, id: int, **documents: Sequence[Any]) -> dict[str, Any]:
        return {"cursor": {"id": id, "ns": "tallystick.$cmd.aggregate", **documents}, "ok": 1.0}


def keep_streams_of_dropped_collections() -> None:
    """Keep streams open when a collection is dropped; mongoeco ends them, and reuses that change's token."""
    publish = ChangeStreamHub.publish

    def publish_others(self: Any, *, operation_type: str, **kwargs: Any) -> None:
        if operation_type != "invalidate":
            publish(self, operation_type=operation_type, **kwargs)

    ChangeStreamHub.publish = publish_others
    ChangeStreamHub.mark_gap = lambda self: None


def describe_updates() -> None:
    """Report the changed fields of an update; mongoeco omits them."""
    update_indexes, payload = MemoryEngine._update_indexes_locked, MemoryEngine._change_payload
    before: dict[str, Any] = {}

    def update_indexes_locked(self: Any, db: str, collection: str, key: Any, document: Any, **kwargs: Any) -> None:
        if kwargs["action"] == "delete":  # each change begins with a delete
            before.clear()
            before.update(document)
        update_indexes(self, db, collection, key, document, **kwargs)

    def change_payload(*, operation_type: str, full_document: Any = None, **kwargs: Any) -> Any:
        change = payload(operation_type=operation_type, full_document=full_document, **kwargs)
        if operation_type == "update":
            updated = {name: value for name, value in full_document.items() if before.get(name, before) != value}
            removed = [name for name in before if name not in full_document]
            change["update_description"] = {"updatedFields": updated, "removedFields": removed, "truncatedArrays": []}
        return change

    MemoryEngine._update_indexes_locked = update_indexes_locked
    MemoryEngine._change_payload = staticmethod(change_payload)


def report_primary(port: int, members: Sequence[int]) -> None:
    """Report to be the primary of a replica set; mongoeco has the transactions but does not report a set."""
    hello = WireHandshakeService.build_hello_response
    me, *_ = addresses = [f"127.0.0.1:{each}" for each in (port, *members)]
    member = {"setName": "rs0", "setVersion": 1, "hosts": addresses[1:], "me": me, "primary": me}

    def build_hello_response(self: Any, **kwargs: Any) -> Any:
        return hello(self, **kwargs) | member | {"secondary": False}

    WireHandshakeService.build_hello_response = build_hello_response


async def serve(port: int, path: str | None) -> None:
    """Serve forever."""
    in_memory = MemoryEngine(aggregation_materialization_limit=None)  # MongoDB limits the groups, not the documents
    server = AsyncMongoEcoProxyServer(host="127.0.0.1", port=port, engine=SQLiteEngine(path) if path else in_memory)
    await server.start()
    print(port, flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Parse the arguments, apply the patches, and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--file", help="keep the documents in this file, so that they survive a kill")
    parser.add_argument("--member", type=int, action="append", help="port of each member of its replica set")
    arguments = parser.parse_args()
    find_ids_by_key()
    find_values_by_set()
    prepare_filters_once()
    find_fields_of_indexes()
    read_pages_in_order()
    report_conflicts()
    if arguments.member:
        report_primary(arguments.port, arguments.member)
        ChangeStreams().serve()
        keep_streams_of_dropped_collections()
        describe_updates()
    asyncio.run(serve(arguments.port, arguments.file))


if __name__ == "__main__":
    main()

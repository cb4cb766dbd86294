"""A MongoDB server for tests: mongoeco, which speaks MongoDB's protocol. It runs in an environment of its own.

It prints its port once it answers. What is changed in it here makes it faster, has it say more, or offers to clients
what it has for its own process; where something is put right, its function says what.
"""

import argparse
import asyncio
from collections.abc import Hashable, Sequence
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

from mongoeco._change_streams.hub import ChangeStreamHub
from mongoeco.core.compiled_query import CompiledQuery
from mongoeco.core.query_plan import AndCondition, InCondition
from mongoeco.engines.memory import MemoryEngine
from mongoeco.engines.sqlite import SQLiteEngine
from mongoeco.errors import OperationFailure
from mongoeco.session import ClientSession
from mongoeco.wire._executor_handlers import WireSpecialCommandHandlers
from mongoeco.wire._executor_validation import _WIRE_COMMAND_VALIDATORS
from mongoeco.wire.bson_bridge import ObjectId, Timestamp
from mongoeco.wire.handshake import WireHandshakeService
from mongoeco.wire.proxy import AsyncMongoEcoProxyServer


def do_not_scan_for_ids() -> None:
    """Find an id by its place: it looks at every document at each insert, and at each search for some ids."""
    ensure, candidates = MemoryEngine._ensure_unique_indexes, MemoryEngine._candidate_items_for_plan_locked

    def ensure_unique_indexes(self: Any, *args: Any, **kwargs: Any) -> None:
        ensure(self, *args, **(kwargs | {"scan_payload_id": False}))

    def candidate_items(self: Any, collection: Any, plan: Any, **kwargs: Any) -> Any:
        clauses = plan.clauses if isinstance(plan, AndCondition) else (plan,)
        wanted = next((c.values for c in clauses if isinstance(c, InCondition) and c.field == "_id"), None)
        if wanted is None:
            return candidates(self, collection, plan, **kwargs)
        keys = dict.fromkeys(self._storage_key(value) for value in wanted)
        return [(key, collection[key]) for key in keys if key in collection]

    MemoryEngine._ensure_unique_indexes = ensure_unique_indexes
    MemoryEngine._candidate_items_for_plan_locked = candidate_items


def look_up_in_sets() -> None:
    """Look a value up among many in a set: it compares each document with each of them."""
    written = CompiledQuery._node_to_code

    def node_to_code(self: Any, node: Any, depth: int) -> Any:
        if not isinstance(node, InCondition) or {type(value) for value in node.values} - {UUID, ObjectId, str}:
            return written(self, node, depth)
        is_one = self._store("is_one", partial(_is_one, frozenset(node.values)))
        return f"any({is_one}(candidate) for candidate in _extract(doc, {self._field(node.field)}))"

    CompiledQuery._node_to_code = node_to_code


def _is_one(values: frozenset[object], candidate: object) -> bool:
    return isinstance(candidate, Hashable) and candidate in values


def say_conflict() -> None:
    """Say by code and label that a transaction met another's write, and end it: it says so in words, and goes on."""
    commit = ClientSession.commit_transaction

    def commit_transaction(self: Any) -> None:
        try:
            commit(self)
        except OperationFailure as exc:
            self.abort_transaction()
            raise OperationFailure(str(exc), code=112, error_labels=("TransientTransactionError",)) from exc

    ClientSession.commit_transaction = commit_transaction


class ChangeStreams:
    """Streams of what changes in a database, which it has for programs in its own process only, by commands too."""

    def __init__(self) -> None:
        self._ids = count(1 << 30)  # far from those of other cursors
        self._open: dict[int, Any] = {}

    def serve(self) -> None:
        """Answer the commands that are about streams; leave all others to the server."""
        validate, dispatch = _WIRE_COMMAND_VALIDATORS["aggregate"], WireSpecialCommandHandlers.dispatch

        def validate_aggregate(body: Any, command: Any) -> None:
            if command["aggregate"] != 1:
                validate(body, command)

        async def answer(handlers: Any, context: Any) -> Any:
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
        WireSpecialCommandHandlers.dispatch = answer

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


def do_not_tell_of_dropped_collections() -> None:
    """Do not end a database's streams with one of its collections; the numbers of that change are another's, too."""
    publish = ChangeStreamHub.publish

    def publish_others(self: Any, *, operation_type: str, **kwargs: Any) -> None:
        if operation_type != "invalidate":
            publish(self, operation_type=operation_type, **kwargs)

    ChangeStreamHub.publish = publish_others
    ChangeStreamHub.mark_gap = lambda self: None


def describe_updates() -> None:
    """Say in a change which fields an update has changed; it leaves that out."""
    update_indexes, payload = MemoryEngine._update_indexes_locked, MemoryEngine._change_payload
    before: dict[str, Any] = {}

    def update_indexes_locked(self: Any, db: str, collection: str, key: Any, document: Any, **kwargs: Any) -> None:
        if kwargs["action"] == "delete":  # each change begins with that
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


def say_primary(port: int, members: Sequence[int]) -> None:
    """Say to be the primary of a replica set, where it says nothing: its transactions are those of one."""
    hello = WireHandshakeService.build_hello_response
    me, *_ = addresses = [f"127.0.0.1:{each}" for each in (port, *members)]
    member = {"setName": "rs0", "setVersion": 1, "hosts": addresses[1:], "me": me, "primary": me}

    def build_hello_response(self: Any, **kwargs: Any) -> Any:
        return hello(self, **kwargs) | member | {"secondary": False}

    WireHandshakeService.build_hello_response = build_hello_response


async def serve(port: int, path: str | None) -> None:
    """Serve for ever."""
    server = AsyncMongoEcoProxyServer(
        host="127.0.0.1", port=port, engine=SQLiteEngine(path) if path else MemoryEngine()
    )
    await server.start()
    print(port, flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Read what to serve, and serve it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--file", help="keep the documents in this file, so that they survive a kill")
    parser.add_argument("--member", type=int, action="append", help="port of each member of its replica set")
    given = parser.parse_args()
    do_not_scan_for_ids()
    look_up_in_sets()
    say_conflict()
    if given.member:
        say_primary(given.port, given.member)
        ChangeStreams().serve()
        do_not_tell_of_dropped_collections()
        describe_updates()
    asyncio.run(serve(given.port, given.file))


if __name__ == "__main__":
    main()

"""A MongoDB server for tests: mongoeco, which speaks MongoDB's protocol, in its own environment.

It prints its port once it accepts connections. The patches below make mongoeco report more details, or offer its
in-process features to clients. A function that fixes a defect says which one. `mongo_speed` makes mongoeco faster.
"""

import argparse
import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any

from mongo_speed import make_faster
from mongoeco._change_streams.hub import ChangeStreamHub
from mongoeco.engines.memory import MemoryEngine
from mongoeco.engines.sqlite import SQLiteEngine
from mongoeco.errors import OperationFailure
from mongoeco.session import ClientSession
from mongoeco.wire._executor_handlers import WireSpecialCommandHandlers
from mongoeco.wire._executor_validation import _WIRE_COMMAND_VALIDATORS
from mongoeco.wire.bson_bridge import Timestamp
from mongoeco.wire.handshake import WireHandshakeService
from mongoeco.wire.proxy import AsyncMongoEcoProxyServer


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
    make_faster()
    report_conflicts()
    if arguments.member:
        report_primary(arguments.port, arguments.member)
        ChangeStreams().serve()
        keep_streams_of_dropped_collections()
        describe_updates()
    asyncio.run(serve(arguments.port, arguments.file))


if __name__ == "__main__":
    main()

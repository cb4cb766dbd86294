"""A MongoDB server for tests: mongoeco, which speaks MongoDB's protocol. It runs in an environment of its own.

It prints its port once it answers. What is changed in it here makes it faster, or has it say more, and nothing right.
"""

import argparse
import asyncio
from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from mongoeco.core.compiled_query import CompiledQuery
from mongoeco.core.query_plan import AndCondition, InCondition
from mongoeco.engines.memory import MemoryEngine
from mongoeco.engines.sqlite import SQLiteEngine
from mongoeco.errors import OperationFailure
from mongoeco.session import ClientSession
from mongoeco.wire.bson_bridge import ObjectId
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
    asyncio.run(serve(given.port, given.file))


if __name__ == "__main__":
    main()

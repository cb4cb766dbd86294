"""Make mongoeco faster, the server of the tests on MongoDB: each function replaces a search through all documents."""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cmp_to_key, partial
from typing import Any
from uuid import UUID

from mongoeco.core.compiled_query import CompiledQuery
from mongoeco.core.filtering import QueryEngine
from mongoeco.core.query_plan import AndCondition, InCondition, LessThanCondition
from mongoeco.engines import memory, semantic_core
from mongoeco.engines.memory import MemoryEngine
from mongoeco.wire.bson_bridge import ObjectId


def make_faster() -> None:
    """Apply all patches."""
    find_ids_by_key()
    find_values_by_set()
    prepare_filters_once()
    find_fields_of_indexes()
    read_pages_in_order()


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
    latest: list[Any] = [None, [], []]

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
            found = _newest_first(self, found, kwargs["dialect"])
            latest[:] = collection._values, found, [-_uuid(item) for item in found] if _have_uuids(found) else None
        _, items, ids = latest
        bound = _bound(plan)
        return items if ids is None or bound is None else items[bisect_right(ids, -bound.int) :]

    MemoryEngine.scan_find_semantics = scan_find_semantics
    MemoryEngine._candidate_items_for_plan_locked = candidate_items


def _newest_first(engine: Any, items: Sequence[Any], dialect: Any) -> Sequence[Any]:
    """Sort pairs of a storage key and a document. The key of a UUID has it as the second value."""
    if _have_uuids(items):
        return sorted(items, key=_uuid, reverse=True)
    order = cmp_to_key(dialect.policy.compare_values)
    return sorted(items, key=lambda item: order(engine._borrow_storage_document(item[1])["_id"]), reverse=True)


def _have_uuids(items: Sequence[Any]) -> bool:
    return all(key[0] == "uuid" for key, _ in items)


def _uuid(item: Any) -> int:
    return int(item[0][1])


def _bound(plan: Any) -> UUID | None:
    """Return the id that a page begins below."""
    clauses = plan.clauses if isinstance(plan, AndCondition) else (plan,)
    bounds = (c.value for c in clauses if isinstance(c, LessThanCondition) and c.field == "_id")
    return next((bound for bound in bounds if isinstance(bound, UUID)), None)

"""The meta of jobs: any text, as large as it may be."""

from tallystick import Filter, Meta, NewRecord

from ..harness.case import LEASE, NOW, Case, example
from .payload import TEXTS

_LARGEST = {f"key {n:03}": "v" * 100 for n in range(32)}
_METAS: tuple[dict[str, str], ...] = (
    {},
    {"": ""},
    {"k": "v", "K": "v ", " k": " v"},
    {"$where.a": "$$NOW", "'; DROP TABLE jobs; --": "%s {} $1 ? :name"},
    _LARGEST,
    *({"text": text} for text in TEXTS if len(text) < 100),
)


@example("META-01")
def meta_is_kept(case: Case) -> None:
    """insert, claim, rescue, list and get return each meta unchanged, and a duplicate returns that of its record."""
    metas = [meta for meta in _METAS if "" not in meta]
    new = [NewRecord(kind="k", meta=meta) for meta in metas]
    answers = case.insert(*new)
    expected = {record.id: Meta(meta) for record, meta in zip(new, metas, strict=True)}
    case.equal(expected, {record.id: record.meta for record in answers})
    changed = [NewRecord(kind="k", id=record.id, meta={"other": "meta"}) for record in new]
    case.equal(expected, {record.id: record.meta for record in case.insert(*changed)})
    case.equal(expected, {record.id: record.meta for record in case.claim()})
    case.equal(expected, {id: record.meta for id, record in case.backend.get([*expected]).items()})
    rescued = case.backend.rescue(limit=100, now=NOW + LEASE)
    case.equal(expected, {record.id: record.meta for record in rescued})
    case.equal(expected, {record.id: record.meta for record in case.backend.list(Filter(), limit=100)})

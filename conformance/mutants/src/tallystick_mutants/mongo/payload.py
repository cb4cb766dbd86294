"""Bugs in documents: values that BSON rounds or rejects, or reads as a path, an expression or another type."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bson.binary import CSHARP_LEGACY
from tallystick import Record, validation
from tallystick.backends.calls import InsertCall
from tallystick.backends.times import rounded_down
from tallystick_conformance import Mutant

from ..patch import MONGO, Step

broken, edit, edited, put = MONGO.broken, MONGO.edit, MONGO.edited, MONGO.put

_IN = '{name: {"$in": list(values)}}'
_BY_PATH = '{"$or": [{"_id": None}, *({f"tags.{tag}": True} for tag in values)]}'

Document = Mapping[str, Any]


def _stored(field: str, write: Callable[[Any], object]) -> Step:
    """Change how a field of a new job is stored."""
    return put("documents.inserted", lambda inserted: lambda *given: _with(inserted(*given), field, write))


def _read(field: str, read: Callable[[Any], object]) -> Step:
    """Change how a field is read."""
    return put("documents.record", lambda record: lambda document: record(_with(document, field, read)))


def _with(document: Document, field: str, change: Callable[[Any], object]) -> Document:
    return {**document, field: change(document[field])} if document.get(field) is not None else document


def _as_document(payload: bytes) -> Any:
    try:
        return json.loads(payload, parse_int=float)
    except ValueError:
        return payload


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def _raw(error: str) -> str:
    return json.dumps(json.loads(error), ensure_ascii=False)


def _bare(literal: Mapping[str, str]) -> dict[str, str]:
    return {name: json.dumps(text)[1:-1] for name, text in json.loads(literal["$literal"]).items()}


def _unescaped(error: str | Mapping[str, str]) -> str:
    if isinstance(error, str):
        return error
    return json.dumps({name: json.loads(f'"{error.get(name, "")}"') for name in ("type", "message", "traceback")})


def _cut(call: InsertCall) -> list[Record]:
    return [
        new.stored(call.now, rounded_down(validation.moment(new.run_at, call.now), call.precision))
        for new in call.records
    ]


def _codec(**options: Any) -> Step:
    return put("collections._CODEC", lambda codec: codec.with_options(**options))


MUTANTS: tuple[Mutant, ...] = (
    broken("cuts due times to milliseconds", "TIME-06",
           "A due time is truncated to milliseconds, so a job is due early.", "B5",
           put("backend.calls.InsertCall.stored", lambda _: _cut)),
    broken("keeps payloads as strings", "PAYLOAD-01",
           "A payload is a BSON string, so invalid UTF-8 is replaced.", "C16",
           _stored("payload", lambda payload: payload.decode("utf-8", "replace")), _read("payload", str.encode)),
    broken("keeps payloads as documents", "PAYLOAD-01",
           "A JSON payload is stored as a document, and serialized again at each read.", "C11",
           _stored("payload", _as_document), _read("payload", _as_bytes)),
    broken("keeps tags as fields", "NAME-03",
           "Tags are fields of a subdocument, so a tag with a dot is read as a path.", "C11",
           _stored("tags", lambda tags: dict.fromkeys(tags, True)),
           edit("queries.fitting", {_IN: f'{_BY_PATH} if name == "tags" else {_IN}'})),
    broken("evaluates errors", "PAYLOAD-05",
           "An error in an update pipeline lacks $literal, so text that begins with $ is read as a field.", "C11",
           put("updates._literal", lambda literal: lambda fields: _with(literal(fields), "last_error", _bare)),
           _read("last_error", _unescaped)),
    broken("keeps errors as strings", "PAYLOAD-05",
           "An error is a BSON string, which cannot store lone surrogates, so the job stays running.", "C5",
           put("updates._literal", lambda literal: lambda fields: literal(_with(fields, "last_error", _raw)))),
    broken("keeps numbers as doubles", "CALL-02",
           "A number is stored as a double, as the shell does, and comes back as a float.", "C7",
           _stored("priority", float)),
    broken("reads naive times", "CALL-02",
           "Times are read without a time zone, which is the driver's default.", "B11",
           _codec(tz_aware=False, tzinfo=None)),
    broken("orders ids by another layout", "CLAIM-05",
           "Ids are stored in the byte order of another driver.", "G2",
           _codec(uuid_representation=CSHARP_LEGACY)),
    edited("writes a batch into one document", "PAYLOAD-03", "inserting.insert", "store, len(records), put",
           "store, [new.payload for new in records], put", "C13",
           "A batch is first stored as one document, so it is rejected if it is larger than 16 MB."),
    broken("takes null for a key", "UNIQUE-05",
           "A job without a key stores null, which a sparse index treats as a value.", "F8",
           edit("documents._fields", {"if held_key is not None:": "if True:"}),
           edit("insert_or_find._duplicates", {"if one.unique_key is not None": ""}),
           edit("insert_or_find.insert_or_find", {" if record.unique_key is not None": ""})),
)  # fmt: skip

"""Requests and responses: what the API and the pages share."""

import json
from typing import Any, get_origin

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from .rejections import Rejection

LARGEST_BODY = 8 * 1024 * 1024


def grouped(pairs: list[tuple[str, str]], model: type[BaseModel]) -> dict[str, Any]:
    """Return the pairs of a query by name; a field of lists gets all values of its name."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        field = model.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is list:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise Rejection(422, "%(name)s: give it once", name=name)
        else:
            values[name] = value
    return values


async def limited_body(request: Request, largest: int) -> bytes:
    """Return the body; reject one that is larger than allowed before it is read."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > largest:
            raise Rejection(413, "the body is larger than %(bytes)s bytes", bytes=f"{largest:,}")
        chunks.append(chunk)
    return b"".join(chunks)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response in ASCII, which also carries text that UTF-8 cannot encode."""
    return Response(json.dumps(value), status, headers, media_type="application/json")


def error_response(rejection: Rejection) -> Response:
    """Return the JSON response of a rejection."""
    body = {"error": {"status": rejection.status, "message": rejection.message}}
    return json_response(body, rejection.status, rejection.headers)

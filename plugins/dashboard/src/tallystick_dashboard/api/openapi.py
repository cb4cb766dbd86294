"""The OpenAPI document of the API, made from the table of endpoints and their pydantic models."""

from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from tallystick import __version__

from .endpoint import Endpoint

_REF = "#/components/schemas/{model}"

ERRORS = {
    "400": "The body is not JSON.",
    "401": "Log in, or send a token.",
    "403": "The user lacks the permission, or the request came from another site.",
    "404": "It does not exist.",
    "409": "Too many bulk actions run.",
    "413": "The body or the payload is too large.",
    "415": "The body has another Content-Type.",
    "421": "The server does not serve this Host.",
    "422": "An argument is invalid.",
    "503": "The store is unavailable, or did not respond in time.",
}


class ErrorBody(BaseModel):
    """The error of a request."""

    class Error(BaseModel):
        """The status and the reason."""

        status: int
        message: str

    error: Error


def document(endpoints: tuple[Endpoint, ...], prefix: str = "") -> dict[str, Any]:
    """Return the document as a dict."""
    inputs: list[tuple[Any, Any, Any]] = []
    for index, endpoint in enumerate(endpoints):
        inputs.append((("returns", index), "serialization", TypeAdapter(endpoint.returns).core_schema))
        if endpoint.body is not None:
            inputs.append((("body", index), "validation", TypeAdapter(endpoint.body).core_schema))
    inputs.append((("error", 0), "serialization", TypeAdapter(ErrorBody).core_schema))
    schemas, definitions = GenerateJsonSchema(ref_template=_REF).generate_definitions(inputs)
    paths: dict[str, Any] = {}
    for index, endpoint in enumerate(endpoints):
        returns = schemas[("returns", index), "serialization"]
        body = schemas.get((("body", index), "validation"))
        operation = _operation(endpoint, returns, body, schemas[("error", 0), "serialization"])
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tallystick control plane", "version": __version__},
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{}, {"token": []}, {"basic": []}],
    }


def _operation(endpoint: Endpoint, returns: Any, body: Any, error: Any) -> dict[str, Any]:
    failed = {"application/json": {"schema": error}}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": returns}}},
            **{status: {"description": text, "content": failed} for status, text in ERRORS.items()},
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    if "{id}" in endpoint.path:
        uuid = {"type": "string", "format": "uuid"}
        parameters.append({"name": "id", "in": "path", "required": True, "schema": uuid})
    if endpoint.query is not None:
        schema = endpoint.query.model_json_schema(ref_template=_REF)
        definitions = schema.get("$defs", {})
        required = schema.get("required", [])
        for name, field in schema["properties"].items():
            shown = _inline(field, definitions)
            parameters.append({"name": name, "in": "query", "required": name in required, "schema": shown})
    return parameters


def _inline(field: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema without references: the queries have only small ones."""
    if isinstance(field, dict):
        if isinstance(reference := field.get("$ref"), str):
            return _inline(definitions[reference.rpartition("/")[2]], definitions)
        return {name: _inline(part, definitions) for name, part in field.items()}
    return [_inline(part, definitions) for part in field] if isinstance(field, list) else field

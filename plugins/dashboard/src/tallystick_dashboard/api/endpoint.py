"""One endpoint of the API: validate the query and the body, call the control plane, write JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from ..control.plane import ControlPlane
from ..http import LARGEST_BODY, error_response, grouped, json_response, limited_body
from ..permissions import Permission, User
from ..problems import as_rejection
from ..rejections import Rejection
from ..site import Site, site_of, user_of


class Call(NamedTuple):
    """A call of an endpoint, with its valid arguments."""

    site: Site
    user: User
    query: Any
    body: Any
    id: UUID | None

    @property
    def plane(self) -> ControlPlane:
        """The control plane."""
        return self.site.plane

    @property
    def known_id(self) -> UUID:
        """The id in the path."""
        assert self.id is not None
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint. `query` and `body` are models; `returns` is the type of the response."""

    method: str
    path: str
    name: str
    summary: str
    call: Callable[[Call], Any]
    returns: Any
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    permission: Permission | None = None

    async def handle(self, request: Request) -> Response:
        """Serve a request."""
        site = site_of(request)
        try:
            query = read_query(request, self.query)
            body = await read_body(request, self.body)
            id = _read_id(request)
            call = Call(site, user_of(request), query, body, id)
            result = await site.call(lambda: self.call(call))
        except Exception as exc:
            if (rejection := as_rejection(exc)) is None:
                raise
            return error_response(rejection)
        return json_response(TypeAdapter(self.returns).dump_python(result, mode="json"))


def read_query(request: Request, model: type[BaseModel] | None) -> BaseModel | None:
    """Return the query as a model. Repeated options become lists."""
    pairs = request.query_params.multi_items()
    if model is None:
        if pairs:
            raise Rejection(422, "%(name)s: this endpoint has no such option", name=pairs[0][0])
        return None
    return model.model_validate(grouped(pairs, model))


async def read_body(request: Request, model: type[BaseModel] | None) -> BaseModel | None:
    """Return the JSON body as a model."""
    if model is None:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Rejection(415, "the body must be JSON, with the header Content-Type: application/json")
    body = await limited_body(request, LARGEST_BODY)
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        raise Rejection(400, "the body is not JSON") from None
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        raise as_rejection(exc) or exc from None


def _read_id(request: Request) -> UUID | None:
    text = request.path_params.get("id")
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise Rejection(404, "there is no such id: it is not a UUID") from None

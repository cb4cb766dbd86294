"""The table of endpoints. A decorated function adds its own row: its name, its docstring and its return type."""

from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel

from ..permissions import Permission
from .endpoint import Call, Endpoint

FunctionT = TypeVar("FunctionT", bound=Callable[[Call], Any])


class Table:
    """Endpoints in the order of their definition."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, query: type[BaseModel] | None = None) -> Callable[[FunctionT], FunctionT]:
        """Add an endpoint that reads."""
        return self._add(path, method="GET", query=query)

    def post(
        self, path: str, permission: Permission | None, body: type[BaseModel] | None = None
    ) -> Callable[[FunctionT], FunctionT]:
        """Add an endpoint that changes something. The control plane checks the permission."""
        return self._add(path, method="POST", permission=permission, body=body)

    def _add(self, path: str, **fields: Any) -> Callable[[FunctionT], FunctionT]:
        def add(function: FunctionT) -> FunctionT:
            summary = (function.__doc__ or "").partition("\n")[0]
            returns = get_type_hints(function)["return"]
            name = getattr(function, "__name__", path)
            self.endpoints.append(
                Endpoint(path=path, name=name, summary=summary, call=function, returns=returns, **fields)
            )
            return function

        return add

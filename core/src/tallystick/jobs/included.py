"""Find the jobs of a module."""

from collections.abc import Iterator
from inspect import isabstract
from types import ModuleType
from typing import Any

from ..errors import DefinitionError, InvalidArgument
from ..messages.safe_repr import safe_repr
from .declaration import Declaration
from .job_base import Job


def jobs_of(module: ModuleType) -> list[Declaration[Any, Any] | type[Job[Any]]]:
    """Return the definitions, declarations and `Job` classes of a module, each once, in the module's order.

    Raises:
        DefinitionError: there are none.
    """
    if not isinstance(module, ModuleType):
        raise InvalidArgument(f"module is {safe_repr(module)}; it must be an imported module: runner.include(app.jobs)")
    if found := list(dict.fromkeys(_jobs(module))):
        return found
    raise DefinitionError(f"the module {module.__name__} has no jobs; define one with @job(...) or as a Job class")


def _jobs(module: ModuleType) -> Iterator[Declaration[Any, Any] | type[Job[Any]]]:
    for value in vars(module).copy().values():
        if isinstance(value, Declaration) or (isinstance(value, type) and issubclass(value, Job) and _is_whole(value)):
            yield value


def _is_whole(job: type[Job[Any]]) -> bool:
    is_generic = bool(job.__pydantic_generic_metadata__["parameters"])
    return getattr(job, "kind", None) is not None and not is_generic and not isabstract(job)

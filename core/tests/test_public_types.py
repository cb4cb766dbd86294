"""`Any` in the public API: each place that has it needs a reason."""

import inspect
import typing
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import tallystick
from tallystick import testing

OF_ANY_KIND = "a declaration is invariant in its payload, so Any is the only type of all declarations"
OF_TEXT = "no checker knows the result of a kind that is given as text or by a bare id"
INTERNAL = "only the core calls it, with types that pydantic reads at run time"
JSON = "a schema is a tree of JSON values"
OPEN = "a subclass takes the services that it annotates"

REASONS = {
    **dict.fromkeys(("Runner.enqueue_raw", "Runner.aenqueue_raw"), OF_TEXT),
    **dict.fromkeys(("RunnerSchedules.run_schedule", "RunnerSchedules.arun_schedule"), OF_TEXT),
    **{f"RunnerResults.{name}": OF_TEXT for name in ("result", "aresult", "wait_for", "await_for")},
    **{f"RunnerResults.{name}": OF_TEXT for name in ("wait_for_all", "await_for_all")},
    **{f"RunnerCallbacks.on_{event}": OF_ANY_KIND for event in ("enqueued", "started", "retried", "completed")},
    **{f"RunnerCallbacks.on_{event}": OF_ANY_KIND for event in ("discarded", "cancelled")},
    **{f"JobTester.{name}": OF_ANY_KIND for name in ("enqueued", "assert_enqueued", "refute_enqueued")},
    **{f"JobTester.{name}": OF_ANY_KIND for name in ("assert_enqueues", "refute_enqueues")},
    "RunnerJobs.definitions": OF_ANY_KIND,
    "JobResult.of": OF_ANY_KIND,
    "Call.definition": OF_ANY_KIND,
    "Call.payload": OF_ANY_KIND,
    "declare": "without its type, a result is Any JSON value",
    "Declaration.payload_schema": JSON,
    "Declaration.of_types": INTERNAL,
    "BatchDefinition.of_batch": INTERNAL,
    "Definition.services": INTERNAL,
    "Enqueue.options": INTERNAL,
    "Settings.retry": "for pydantic only; type checkers see RetryPolicy | None",
    "Settings.codec": "for pydantic only; type checkers see PayloadCodec | None",
    "Job.work": OPEN,
}


def places(*modules: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield the name and the type of each parameter, return value and attribute of the public names."""
    for module in modules:
        for name in module.__all__:
            public = getattr(module, name)
            if inspect.isfunction(public):
                yield from _of_function(name, public)
            elif isinstance(public, type):
                yield from _of_class(public)


def _of_class(public: type) -> Iterator[tuple[str, object]]:
    for base in public.__mro__:
        if base.__module__.startswith("tallystick"):
            for name, annotation in vars(base).get("__annotations__", {}).items():
                if not name.startswith("_"):
                    yield f"{base.__name__}.{name}", annotation
            for name, member in vars(base).items():
                function = getattr(member, "__func__", member.fget if isinstance(member, property) else member)
                if inspect.isfunction(function) and not name.startswith("_"):
                    yield from _of_function(f"{base.__name__}.{name}", function)


def _of_function(name: str, function: Callable[..., object]) -> Iterator[tuple[str, object]]:
    for variant in typing.get_overloads(function) or [function]:
        signature = inspect.signature(variant)
        yield name, signature.return_annotation
        for parameter in signature.parameters.values():
            yield name, parameter.annotation


def test_any_has_a_reason() -> None:
    """`Any` appears in the public API only where the list has a reason, and the list has no other entries."""
    found = {name for name, annotation in places(tallystick, testing) if "Any" in str(annotation).split("[+")[0]}
    assert found == REASONS.keys()


@pytest.mark.parametrize("annotation", [Any, dict[str, Any], Callable[..., Any]])
def test_any_is_found(annotation: Any) -> None:
    """The check finds `Any` inside other types."""

    def function(payload: annotation) -> None: ...

    assert any("Any" in str(found) for _, found in _of_function("function", function))

"""Check `Job` classes at definition: pydantic alone would accept an annotated option as a field."""

import re
from collections.abc import Mapping, Set
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform, get_origin

from pydantic import BaseModel, Field, PrivateAttr, PydanticUserError

from ..errors import DefinitionError, InvalidPayload, NoSuchMethod
from ..messages.advice import CALLS, NEVER_FIELDS, instead, unknown_option
from ..messages.safe_repr import safe_repr
from .options import OPTION_NAMES

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)  # pydantic does not export it

_EXAMPLES = {
    "kind": 'kind = "emails:welcome"',
    "queue": 'queue = "emails"',
    "priority": "priority = 5",
    "max_attempts": "max_attempts = 5",
    "retry": "retry = Fixed(timedelta(seconds=30))",
    "timeout": "timeout = timedelta(seconds=30)",
    "isolation": 'isolation = "process"',
    "memory_limit": "memory_limit = 500 * 2**20",
    "tags": 'tags = ("urgent",)',
    "meta": 'meta = {"team": "billing"}',
    "payload_version": "payload_version = 2",
    "aliases": 'aliases = ("emails:hello",)',
    "keep_result": "keep_result = timedelta(minutes=10)",
    "unique_by": 'unique_by = ("user_id",)',
    "unique_until": 'unique_until = "started"',
    "on_conflict": 'on_conflict = "replace"',
    "debounce_max": "debounce_max = timedelta(minutes=5)",
    "keep_completed": "keep_completed = timedelta(days=30)",
    "keep_discarded": "keep_discarded = timedelta(days=30)",
    "keep_cancelled": "keep_cancelled = timedelta(days=30)",
}
_SHOWN_AS_WRITTEN = {
    "kind": str,
    "queue": str,
    "priority": int,
    "max_attempts": int,
    "isolation": str,
    "memory_limit": int,
    "tags": tuple | list,
    "meta": dict,
    "payload_version": int,
    "aliases": tuple | list,
    "unique_by": tuple | list,
}
_CLASS_VARIABLE = re.compile(r"((\w+\.)?Annotated\[)?(\w+\.)?(ClassVar|Final)\b")
_NEAR = 0.85


@dataclass_transform(kw_only_default=True, field_specifiers=(Field, PrivateAttr))
class JobMeta(ModelMetaclass):
    """The metaclass of jobs. Rejects definitions that would silently mean something else."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        """Create a class.

        Raises:
            DefinitionError: a field has the name of an option or of a method, or an option does not exist.
        """
        parents = [base for base in bases if isinstance(base, JobMeta)]
        if parents:
            _check_namespace(name, namespace, parents[0])
        try:
            made: Any = super().__new__(cls, name, bases, namespace, **kwargs)
        except (PydanticUserError, NameError, ValueError) as exc:
            raise DefinitionError(f"{name} cannot be a job: {exc}") from exc
        if parents:
            for field in made.__pydantic_fields__:
                _check_field(name, field, namespace, parents[0])
        return made

    if not TYPE_CHECKING:  # type checkers see the constructor and the attributes from pydantic

        def __call__(cls, *args: Any, **fields: Any) -> Any:
            """Create a job. Rejects options among its fields, which pydantic would ignore."""
            if args:
                raise InvalidPayload(
                    f"{cls.__name__} was called with the positional argument {safe_repr(args[0])}; name its fields: "
                    f"{cls.__name__}({', '.join(f'{field}=...' for field in cls.__pydantic_fields__)})"
                )
            if not _OPTIONS.isdisjoint(fields) and (ignored := _ignored(cls, _OPTIONS & fields.keys())):
                options = ", ".join(f"{option}=..." for option in sorted(ignored))
                raise InvalidPayload(
                    f"{cls.__name__} has no field for {options}; pass an option when you enqueue: "
                    f"runner.enqueue({cls.__name__}(...), {options})"
                )
            return super().__call__(**fields)

        def __getattr__(cls, name: str) -> Any:
            if name in CALLS:
                raise NoSuchMethod(
                    f"{cls.__name__} has no {name}(); write {CALLS[name].format(job=f'{cls.__name__}(...)')}"
                )
            if name == "kind":
                raise NoSuchMethod(f'{cls.__name__} has no kind; give it one: kind = "emails:welcome"')
            return super().__getattr__(name)


_OPTIONS = frozenset(OPTION_NAMES) | {"run_at", "unique_key"}


def _ignored(job: Any, words: Set[str]) -> Set[str]:
    """Return the words that pydantic would ignore: neither a field nor an alias of one."""
    if job.model_config.get("extra") not in (None, "ignore"):
        return frozenset()
    aliases = [field.validation_alias for field in job.__pydantic_fields__.values()]
    if any(alias is not None and not isinstance(alias, str) for alias in aliases):
        return frozenset()
    return words - {*job.__pydantic_fields__, *aliases}


def _check_namespace(name: str, namespace: Mapping[str, Any], job: Any) -> None:
    annotations = namespace.get("__annotations__", {})
    for field, annotation in annotations.items():
        if not _is_class_variable(annotation):
            _check_field(name, field, namespace, job)
        elif field in NEVER_FIELDS:
            raise DefinitionError(f"{name}.{field} is not an option of a job; {instead(field, OPTION_NAMES)}")
    for attribute, value in namespace.items():
        if attribute.startswith("_") or attribute in annotations or hasattr(job, attribute) or callable(value):
            continue
        if isinstance(value, property | classmethod | staticmethod) or attribute in ("kind", "model_config"):
            continue
        raise DefinitionError(
            f"{name}.{attribute} = {safe_repr(value)} is not an option of a job; "
            f"{unknown_option(attribute, OPTION_NAMES)}; annotate a field with its type, and a constant with ClassVar"
        )
    if "options" in namespace and not isinstance(namespace["options"], classmethod):
        raise DefinitionError(f"{name}.options would replace Job.options, which the runner calls; rename it")


def _check_field(name: str, field: str, namespace: Mapping[str, Any], job: Any) -> None:
    rename = f'rename the field; an alias keeps the name in the payload: {field}_: ... = Field(alias="{field}")'
    if field in _EXAMPLES:
        raise DefinitionError(
            f"{name}.{field} is annotated, so it would be a field of the payload and not the option {field!r}. For the "
            f"option, write it without annotation: {_line(field, namespace)}. For a field of the payload, {rename}"
        )
    if field in NEVER_FIELDS or (field in namespace and _misspelt(field)):
        raise DefinitionError(
            f"{name}.{field} would be a field of the payload, not an option; {instead(field, OPTION_NAMES)}, without "
            f"annotation. For a field of the payload, {rename}"
        )
    if field == "ctx" or _belongs_to_job(field, job):
        raise DefinitionError(f"{name}.{field} would hide {field!r}, which belongs to every job; {rename}")


def _belongs_to_job(field: str, job: Any) -> bool:
    root = next(base for base in reversed(job.__mro__) if isinstance(base, JobMeta))  # Job itself
    return hasattr(root, field)


def _misspelt(field: str) -> bool:
    close = get_close_matches(field, OPTION_NAMES, n=1, cutoff=_NEAR)
    return bool(close) and field.rstrip("_") not in (close[0], f"{close[0]}s")


def _line(option: str, namespace: Mapping[str, Any]) -> str:
    value = namespace.get(option)
    as_written = _SHOWN_AS_WRITTEN.get(option)
    return f"{option} = {safe_repr(value)}" if as_written and isinstance(value, as_written) else _EXAMPLES[option]


def _is_class_variable(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return _CLASS_VARIABLE.match(annotation) is not None
    return annotation is ClassVar or get_origin(annotation) is ClassVar

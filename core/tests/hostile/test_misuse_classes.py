"""Job classes in the style of dataclasses and of other libraries: the error says what to write instead."""

from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import pytest
from pydantic import BaseModel, Field
from tallystick import Context, DefinitionError, InvalidPayload, Job, NoSuchMethod, Runner

T = TypeVar("T")


def make(namespace: dict[str, Any], annotations: dict[str, Any] | None = None, *bases: type) -> Any:
    """Make a job class from the contents of its body."""

    def work(self: Any, ctx: Context) -> None: ...

    body = {"__module__": __name__, "__qualname__": "Mail", "kind": "mail", "work": work, **namespace}
    meta: Any = type(Job)
    return meta("Mail", bases or (Job,), {**body, "__annotations__": annotations or {}})


@pytest.mark.parametrize(
    ("option", "annotation", "value"),
    [
        ("queue", str, "emails"),
        ("queue", "str", "emails"),
        ("max_attempts", int, 3),
        ("tags", list[str], []),
        ("timeout", float, 3.0),
        ("retry", bool, True),
        ("priority", int, ...),
        ("kind", str, "mail"),
    ],
)
def test_annotated_option(option: str, annotation: object, value: object) -> None:
    """An annotated option would become a field of the payload, so it is rejected with the line to write."""
    namespace = {} if value is ... else {option: value}
    with pytest.raises(DefinitionError, match=rf"Mail\.{option} is annotated.*without annotation: {option} = .*alias"):
        make(namespace, {option: annotation})


@pytest.mark.parametrize("annotation", [ClassVar[str], ClassVar, "ClassVar[str]", "typing.ClassVar[str]"])
def test_option_as_class_variable(annotation: object) -> None:
    """An option may be annotated as a class variable."""
    assert make({"queue": "emails"}, {"queue": annotation}).options().queue == "emails"


def test_field_of_an_option_by_alias(runner: Runner) -> None:
    """A field can have the name of an option by an alias, as the error suggests."""
    mail = make({"priority_": Field(alias="priority")}, {"priority_": int})
    runner.register(mail)
    assert runner.enqueue(mail(priority=7)).record.payload == b'{"priority":7}'


@pytest.mark.parametrize(
    ("namespace", "annotations", "advice"),
    [
        ({"retries": 5}, {}, "max_attempts"),
        ({"retries": 5}, {"retries": int}, "max_attempts"),
        ({}, {"max_retries": int}, "max_attempts"),
        ({"max_retries": 5}, {"max_retries": ClassVar[int]}, "max_attempts"),
        ({"max_attemps": 5}, {}, "max_attempts"),
        ({"max_attemps": 5}, {"max_attemps": int}, "max_attempts"),
        ({"autoretry_for": (OSError,)}, {}, "ByException"),
        ({"name": "mail"}, {}, "the kind"),
        ({"bind": True}, {}, "second argument"),
        ({"expires": 5}, {}, "do not expire"),
        ({"countdown": 5}, {}, "run_at"),
        ({"delay": 5}, {}, "run_at"),
        ({"colour": "red"}, {}, "ClassVar"),
    ],
)
def test_option_that_does_not_exist(namespace: dict[str, Any], annotations: dict[str, Any], advice: str) -> None:
    """An option of another library, or a misspelt one, is rejected with what to write."""
    with pytest.raises(DefinitionError, match=advice):
        make(namespace, annotations)


@pytest.mark.parametrize("field", ["work", "ctx", "options", "json", "copy", "schema", "model_fields", "model_config"])
def test_field_that_hides(field: str) -> None:
    """A field that would hide an attribute of every job is rejected."""
    with pytest.raises(DefinitionError, match=field):
        make({}, {field: str})


@pytest.mark.parametrize("field", ["name", "delay", "expires", "eta", "model", "queues", "payload", "id"])
def test_field_of_any_other_name(field: str) -> None:
    """Other field names are allowed, even if another library has an option of that name."""
    assert field in make({}, {field: str}).model_fields


def test_inherited_field() -> None:
    """Fields from other base classes are checked too."""

    class Timed(BaseModel):
        timed_out: float = 3.0

    class Late(BaseModel):
        ctx: float = 3.0

    assert "timed_out" in make({}, {}, Job, Timed).model_fields
    with pytest.raises(DefinitionError, match=r"Mail\.ctx"):
        make({}, {}, Job, Late)


def test_options_is_not_replaced() -> None:
    """A method named `options`, which would replace that of Job, is rejected."""
    with pytest.raises(DefinitionError, match="options"):
        make({"options": lambda self: {}})


def test_field_without_a_schema() -> None:
    """A field whose type pydantic does not support is rejected with DefinitionError."""
    with pytest.raises(DefinitionError, match="Mail cannot be a job"):
        make({}, {"context": Context})


def test_calls_of_a_class() -> None:
    """The errors for positional arguments and for options as fields show the right call."""
    mail = make({}, {"user": int})
    with pytest.raises(InvalidPayload, match=r"Mail\(user=\.\.\.\)"):
        mail(7)
    with pytest.raises(InvalidPayload, match=r"runner\.enqueue\(Mail\(\.\.\.\), queue=\.\.\.\)"):
        mail(user=7, queue="slow")
    with pytest.raises(NoSuchMethod, match=r"runner\.enqueue\(Mail"):
        mail.delay(user=7)


class Abstract(Job[None]):
    """A job with an abstract method."""

    kind = "abstract"

    def work(self, ctx: Context) -> None:
        """Do nothing."""

    @abstractmethod
    def part(self) -> None:
        """Do a part."""


class Many(Job[None], Generic[T]):
    """A generic job."""

    kind = "many"
    items: list[T]

    def work(self, ctx: Context) -> None:
        """Do nothing."""


class Plain(Job[None]):
    """A job."""

    kind = "plain"

    def work(self, ctx: Context) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        (Plain(), "register the class"),
        (Abstract, "abstract"),
        (Many, "generic"),
        (BaseModel, "subclass of Job"),
        (make, "@runner.job"),
        ("plain", "must be a Job class"),
        (None, "must be a Job class"),
        (Job, "kind"),
    ],
)
def test_bad_class(runner: Runner, wrong: Any, advice: str) -> None:
    """Registering a value that is not a concrete job class fails."""
    with pytest.raises(DefinitionError, match=advice):
        runner.register(wrong)
    assert not runner.definitions


def test_generic_class_with_its_type(runner: Runner) -> None:
    """A generic class is registered with its type argument."""
    runner.register(Many[int])
    assert runner.enqueue(Many[int](items=[1])).record.payload == b'{"items":[1]}'

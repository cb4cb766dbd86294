"""The parts of a store's URL."""

from datetime import timedelta
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tallystick import ConfigurationError
from tallystick.backends import locations


class Options(BaseModel):
    """The options of a backend."""

    model_config = ConfigDict(extra="forbid")

    schema_: Annotated[str, Field(alias="schema")] = "jobs"
    wait: locations.Seconds = timedelta(seconds=1)


URL = "postgresql://me:s3cret%21@host:5/db"


def test_split() -> None:
    """The backend's options are parsed, and the driver gets the rest of the URL."""
    split = locations.split(f"{URL}?schema=a&sslmode=disable&wait=2.5&x=%20", Options)
    assert split.options == Options.model_validate({"schema": "a", "wait": 2.5})
    assert split.head == URL
    assert split.driver_options == {"sslmode": "disable", "x": " "}
    assert split.driver_url == f"{URL}?sslmode=disable&x=%20"


def test_split_without_options() -> None:
    """A URL without options is the driver's unchanged."""
    assert locations.split(URL, Options).driver_url == URL


def test_split_with_a_bad_option() -> None:
    """The error for an invalid option lists the options as users write them."""
    with pytest.raises(ConfigurationError, match=r"wait='soon'.*Options are: schema, wait"):
        locations.split(f"{URL}?wait=soon", Options)


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("0.5", 0.5), ("PT30S", 30)])
def test_seconds(text: str, seconds: float) -> None:
    """A duration is a number of seconds, or in ISO 8601."""
    assert Options.model_validate({"wait": text}).wait.total_seconds() == seconds


def test_no_seconds() -> None:
    """Any other text is rejected."""
    with pytest.raises(ValidationError):
        Options.model_validate({"wait": "soon"})


def test_with_option() -> None:
    """An option is added or replaced, and the others stay."""
    assert locations.with_option(URL, "schema", "b c") == f"{URL}?schema=b%20c"
    assert locations.with_option(f"{URL}?schema=a&x=&y=%2F", "schema", "b") == f"{URL}?x=&y=%2F&schema=b"


@pytest.mark.parametrize("name", ["a", "_", "A-9", "x" * 5])
def test_identifier(name: str) -> None:
    """A name that is safe in a statement is returned unchanged."""
    assert locations.identifier(name, 5) == name


@pytest.mark.parametrize("name", ["", "9a", "-a", "a b", "ä", "a\n", "x" * 6])
def test_no_identifier(name: str) -> None:
    """Any other name is rejected, and the error states what is allowed."""
    with pytest.raises(ValueError, match="1 to 5 characters"):
        locations.identifier(name, 5)


def test_without_secrets() -> None:
    """A driver's message loses the URL, and its password in each form."""
    url = f"{URL}?sslpassword=hush"
    message = locations.without_secrets(f"bad {url}, or {URL}, or s3cret!, or hush", url)
    assert "s3cret" not in message
    assert "hush" not in message
    assert message.startswith("bad postgresql://***@host:5/db?***, or postgresql://***@host:5/db, or ***")

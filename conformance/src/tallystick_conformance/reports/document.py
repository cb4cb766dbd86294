"""`report.json`: the report as a JSON document. Its JSON Schema is `report.schema.json` in this folder."""

import json
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..harness.profiles import ProfileName

SCHEMA: Final = 1
SCHEMA_FILE = Path(__file__).with_name("report.schema.json")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_by_name=True, strict=True)


class BackendEntry(_Part):
    """The tested backend. `distribution` is null if no installed plugin provides it."""

    distribution: str | None
    version: str | None
    server_version: str | None


class ShareEntry(_Part):
    """How many of the planned programs, schedules or rounds were run."""

    what: str
    tried: int
    planned: int


class ClauseEntry(_Part):
    """One clause. A violated clause has `expected`, `observed` and `steps`."""

    id: str
    text: str
    level: str
    tier: str
    status: Literal[
        "passed", "violated", "error", "not written", "not reached", "not judged", "known", "not declared", "not run"
    ]
    seconds: float
    detail: str | None = None
    notice: str | None = None
    raised: str | None = Field(
        None, description="The exception behind it, with its causes and where the backend raised it."
    )
    expected: str | None = None
    observed: str | None = None
    steps: list[str] | None = None
    shares: list[ShareEntry] | None = Field(None, description="How much of the planned work was run for it.")


class TransitionEntry(_Part):
    """One transition of the table of states, and whether a generated program covered it."""

    source: str | None
    by: str
    target: str | None
    covered: bool


class Document(_Part):
    """The report of one run of the conformance kit."""

    schema_version: Literal[1] = Field(alias="schema")
    kit: str = Field(description="The version of tallystick-conformance.")
    contract: int = Field(description="The version of the contract that was tested.")
    target: str = Field(description="The URL without its secrets, or the name of a make_backend.")
    backend: BackendEntry
    python: str
    platform: str
    capabilities: dict[str, bool | int | float] = Field(
        description="The declared capabilities; time_precision is in seconds."
    )
    profile: ProfileName
    seed: int
    started: str = Field(description="Start time in UTC, as ISO 8601; `finished` has the same form.")
    finished: str
    seconds: float
    budget_seconds: float | None
    interrupted: bool
    partial: bool = Field(description="Whether the run was restricted to some of the clauses.")
    passed: bool
    verdict: str = Field(description="The result as a predicate of the target, such as `conforms`.")
    clauses: list[ClauseEntry]
    transitions: list[TransitionEntry]
    known_failures: list[str]
    fixed_traces: list[str]


def dumped(document: Document) -> str:
    """Return a document as JSON; omit the null values of clauses."""
    data = document.model_dump(mode="json", by_alias=True)
    data["clauses"] = [entry.model_dump(mode="json", exclude_none=True) for entry in document.clauses]
    return json.dumps(data, indent=2) + "\n"


def schema() -> str:
    """Return the JSON Schema of the document."""
    return json.dumps(Document.model_json_schema(), indent=2) + "\n"

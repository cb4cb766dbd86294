"""Store programs that broke a clause as versioned JSON files, so that later runs can replay them first."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tallystick import CONTRACT_VERSION, ConfigurationError

from ..contract.clauses import CLAUSES
from ..history.codec import decoded, encoded
from ..subject.tracing import TracedCall

SCHEMA = 2

_PLAIN = ("expected", "observed", "profile", "seed", "program")
"""Fields that are stored as plain JSON."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A program that broke a clause.

    Args:
        clause_id: The clause.
        expected: The expected value, or a phrase.
        observed: The observed value, or a phrase.
        calls: The calls; empty if only the clause itself, with `profile` and `seed`, reproduces the violation.
        program: The calls as shown to people.
        profile: The profile of the run.
        seed: The seed of the run.
    """

    clause_id: str
    expected: str
    observed: str
    calls: tuple[TracedCall, ...]
    program: tuple[str, ...]
    profile: str
    seed: int

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"trace-{self.clause_id}.json"

    def to_json(self) -> str:
        """Return the trace as JSON."""
        head = {"schema": SCHEMA, "contract": CONTRACT_VERSION, "clause": self.clause_id}
        plain = {name: getattr(self, name) for name in _PLAIN}
        return json.dumps({**head, **plain, "calls": [_data(call) for call in self.calls]}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse the JSON of a trace.

        Raises:
            ValueError: The text is not a trace, or has another version.
        """
        data = json.loads(text)
        try:
            if data.pop("schema") != SCHEMA or data.pop("contract") != CONTRACT_VERSION:
                raise ValueError(f"it does not have schema {SCHEMA} and contract {CONTRACT_VERSION}")
            calls = tuple(map(_made, data.pop("calls")))
            if data["clause"] not in CLAUSES:
                raise ValueError(f"no clause is called {data['clause']!r}")
            return cls(data.pop("clause"), calls=calls, program=tuple(data.pop("program")), **data)
        except (AttributeError, KeyError, TypeError) as exc:
            raise ValueError(f"it does not have the form of a trace: {exc!r}") from exc


def load(path: Path) -> Trace:
    """Read a trace.

    Raises:
        ConfigurationError: The file is not a trace that this kit can replay.
    """
    try:
        return Trace.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"this kit cannot replay {path}: {exc}") from exc


def read(folder: Path) -> Iterator[tuple[Path, Trace]]:
    """Yield the traces in a folder.

    Raises:
        ConfigurationError: A trace cannot be read.
    """
    for path in sorted(folder.glob("trace-*.json")):
        yield path, load(path)


def keep(trace: Trace, folder: Path) -> None:
    """Store a trace for later runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / trace.file_name).write_text(trace.to_json(), encoding="utf-8")


def _data(call: TracedCall) -> dict[str, Any]:
    args, kwargs = [encoded(arg) for arg in call.args], {name: encoded(value) for name, value in call.kwargs.items()}
    return {"call": call.method, "args": args, "kwargs": kwargs, "refusal": call.refusal}


def _made(data: dict[str, Any]) -> TracedCall:
    args, kwargs = tuple(map(decoded, data["args"])), {name: decoded(value) for name, value in data["kwargs"].items()}
    return TracedCall(data["call"], args, kwargs, refusal=data["refusal"])

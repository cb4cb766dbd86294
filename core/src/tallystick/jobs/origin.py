"""The place where a job was defined, to detect that a notebook cell or a module was executed again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a function or class was defined. `file` is None unless the code is in the file of its module."""

    module: str | None
    name: str
    file: str | None
    line: int
    execution: object

    @classmethod
    def of(cls, named: Any, function: Any) -> "Origin | None":
        """Return the origin of a function or class, where `function` has its code; None if it has no name."""
        name, code = getattr(named, "__qualname__", None), getattr(function, "__code__", None)
        if name is None or code is None or "<lambda>" in name:
            return None
        names: Mapping[str, Any] = getattr(function, "__globals__", {})
        file = code.co_filename if code.co_filename == names.get("__file__") else None
        return cls(getattr(named, "__module__", None), name, file, code.co_firstlineno, names.get("__spec__"))

    def is_executed_again(self, later: "Origin | None") -> bool:
        """Return whether a later definition replaces this one, as when a notebook cell or a module is executed again.

        Two functions with the same name in one file are a mistake, unless the file was executed again. A reload creates
        a new module spec.
        """
        if later is None or (self.module, self.name) != (later.module, later.name):
            return False
        is_one_run = self.file is not None and self.file == later.file and self.execution is later.execution
        return not is_one_run or self.line == later.line

"""Pickled values for other processes, with the files of the modules that they name."""

import pickle
import pickletools
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any, NamedTuple, Self


class Parcel(NamedTuple):
    """A pickled value, and the file of each module that it names.

    A process that cannot import such a module by its name loads it from its file. This supports test modules that
    pytest imports under names of its own, as `--import-mode=importlib` does.
    """

    pickled: bytes
    modules: Mapping[str, str]

    @classmethod
    def of(cls, value: object) -> Self:
        """Pickle a value.

        Raises:
            Exception: The value cannot be pickled.
        """
        pickled = pickle.dumps(value)
        return cls(pickled, dict(_files(pickled)))

    def opened(self) -> Any:
        """Return the value, in another process.

        Raises:
            Exception: A module that the value names cannot be loaded.
        """
        for name, file in self.modules.items():
            _load(name, file)
        return pickle.loads(self.pickled)  # noqa: S301 - from our parent


def _files(pickled: bytes) -> Iterator[tuple[str, str]]:
    for _, word, _ in pickletools.genops(pickled):
        if isinstance(word, str) and word != "__main__" and (file := getattr(sys.modules.get(word), "__file__", None)):
            yield word, file


def _load(name: str, file: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is None or not f"{name}.".startswith(f"{exc.name}."):
            raise  # the module exists, but it imports one that does not
        spec = spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise
        for dot in (at for at, sign in enumerate(name) if sign == "."):
            sys.modules.setdefault(name[:dot], ModuleType(name[:dot]))  # an import of `a.b` also imports `a`
        sys.modules[name] = module = module_from_spec(spec)
        spec.loader.exec_module(module)

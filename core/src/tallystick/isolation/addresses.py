"""Where a child process finds a job or a runner: a module, or the file of a script, and a name in it."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

SCRIPT = "__tallystick_main__"
"""The name of a script in the child process. There, `if __name__ == "__main__":` must not run."""


class Address(NamedTuple):
    """A name in a module. `file` is set for a script, which has no name that can be imported."""

    module: str
    file: str | None
    name: str

    def load(self) -> Any:
        """Import the module, and return the value."""
        module = import_module(self.module) if self.file is None else _script(self.file)
        return attrgetter(self.name)(module)


def address_of(value: object, module_name: str, name: str) -> Address | None:
    """Return the address of a value; None if an import would not find it there."""
    module = sys.modules.get(module_name)
    try:
        found = attrgetter(name)(module)
    except AttributeError:
        return None
    if module is None or found is not value:
        return None
    return _address(module, name)


def address_of_global(value: object) -> Address | None:
    """Return the address of a global variable of any module; None if there is none. Prefers modules to the script."""
    in_script = None
    for module_name, module in list(sys.modules.items()):
        for name, found in list(getattr(module, "__dict__", {}).items()):
            if found is value:
                if module_name != "__main__":
                    return Address(module_name, None, name)
                in_script = _address(module, name)
    return in_script


def importable_name(module_name: str) -> str:
    """Return the name that a module of this process has in a child process."""
    address = _address(sys.modules[module_name], "") if module_name == "__main__" else None
    return module_name if address is None else address.module


def _address(module: ModuleType, name: str) -> Address | None:
    if module.__name__ != "__main__":
        return Address(module.__name__, None, name)
    if module.__spec__ is not None:  # python -m
        return Address(module.__spec__.name, None, name)
    file = getattr(module, "__file__", None)
    return None if file is None else Address(SCRIPT, str(Path(file).absolute()), name)


def _script(file: str) -> ModuleType:
    if SCRIPT not in sys.modules:
        spec = spec_from_file_location(SCRIPT, file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[SCRIPT] = module = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[SCRIPT]
            raise
    return sys.modules[SCRIPT]

"""Import the runner of an application by its name, e.g. `app.jobs:runner`."""

import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import ModuleType

from ..errors import ConfigurationError
from ..messages.advice import near
from .runner import Runner


def load_runner(target: str) -> Runner:
    """Return the runner that `module:attribute` names, or that the function there returns.

    Raises:
        ConfigurationError: there is no runner. A traceback of the application's code was printed.
    """
    name, _, attribute = target.partition(":")
    if not name or not attribute:
        raise ConfigurationError(f"{target!r} is not module:attribute, e.g. app.jobs:runner")
    found = _attribute(_module(name), attribute)
    if callable(found) and not isinstance(found, Runner):
        found = _called(found, target)
    if not isinstance(found, Runner):
        raise ConfigurationError(f"{target} is of type {type(found).__name__}; it must be a tallystick.Runner")
    return found


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except Exception as exc:
        if isinstance(exc, ModuleNotFoundError) and f"{name}.".startswith(f"{exc.name}."):
            raise ConfigurationError(
                f"module {exc.name} was not found in {here} or on the Python path; call the command in the directory "
                "of your project"
            ) from exc
        raise _shown(exc, f"importing {name}") from exc


def _attribute(module: ModuleType, path: str) -> object:
    try:
        return attrgetter(path)(module)
    except AttributeError as exc:
        meant = near(path, [name for name in dir(module) if not name.startswith("_")])
        raise ConfigurationError(
            f"module {module.__name__} has no attribute {path}; {meant}name the runner as module:attribute"
        ) from exc


def _called(function: Callable[[], object], what: str) -> object:
    try:
        return function()
    except Exception as exc:
        raise _shown(exc, f"calling {what}") from exc


def _shown(exc: Exception, what: str) -> ConfigurationError:
    traceback.print_exception(exc)
    return ConfigurationError(f"{what} raised {type(exc).__name__}: {exc}")

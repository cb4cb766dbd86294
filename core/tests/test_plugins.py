import sys
from collections.abc import Callable, Mapping
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tallystick import (
    CONTRACT_VERSION,
    Backend,
    ConfigurationError,
    ContractMismatch,
    PluginConflict,
    UnknownScheme,
    hookimpl,
    open_backend,
)
from tallystick.hooks import plugins
from tallystick_memory import MemoryBackend


class Installed(Distribution):
    """A distribution with one entry point, as installed by pip."""

    def __init__(self, name: str, module: str) -> None:
        self._files = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n",
            "entry_points.txt": f"[tallystick]\n{name} = {module}\n",
        }

    def read_text(self, filename: str) -> str | None:
        """Return a metadata file."""
        return self._files.get(filename)

    def locate_file(self, path: Any) -> Any:
        """Return the path of a file."""
        return Path(path)


Hook = Callable[[], Mapping[str, str | type[Backend]]]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Hook], EntryPoint]:
    """Return a function that installs a plugin and returns its entry point."""

    def install(name: str, hook: Hook) -> EntryPoint:
        module = ModuleType(f"{name}_plugin".replace("-", "_"))
        module.tallystick_backend = hookimpl(hook)  # type: ignore[attr-defined]  # set on a new module
        monkeypatch.setitem(sys.modules, module.__name__, module)
        [entry_point] = Installed(name, module.__name__).entry_points
        return entry_point

    return install


Install = Callable[[str, Hook], EntryPoint]


def missing(name: str) -> EntryPoint:
    """Return the entry point of a plugin that cannot be imported."""
    [entry_point] = Installed(name, "no_such_module_anywhere").entry_points
    return entry_point


class OldBackend(MemoryBackend):
    """A backend for the previous version of the contract."""

    contract_version = 0


class UnversionedBackend(MemoryBackend):
    """A backend without a version of the contract."""

    contract_version = None  # type: ignore[assignment]  # wrong on purpose


def test_scheme_picks_the_backend(install: Install) -> None:
    """The URL's scheme, in upper or lower case, selects the backend class of a plugin."""
    found = plugins.load([install("tallystick-acme", lambda: {"acme": MemoryBackend})])
    assert found.backend("acme://host") is MemoryBackend
    assert found.backend("ACME://host") is MemoryBackend


def test_installed() -> None:
    """An installed backend is found by its entry point, without an import."""
    with open_backend("memory://") as backend:
        assert isinstance(backend, MemoryBackend)


def test_unknown_scheme(install: Install) -> None:
    """For an unknown scheme, the error says what to install and lists the installed schemes."""
    found = plugins.load([install("tallystick-acme", lambda: {"acme": MemoryBackend})])
    with pytest.raises(UnknownScheme, match=r"zebra://.*tallystick-zebra.*acme:// \(tallystick-acme\)"):
        found.backend("zebra://host")


def test_no_plugin() -> None:
    """Without any plugin, the error lists "none" as installed."""
    with pytest.raises(UnknownScheme, match="Installed: none"):
        plugins.load([]).backend("memory://")


def test_conflict(install: Install) -> None:
    """A scheme of two distributions is rejected, and the error names both; their other schemes work."""
    found = plugins.load(
        [
            install("tallystick-acme", lambda: {"acme": MemoryBackend, "only": MemoryBackend}),
            install("tallystick-rival", lambda: {"acme": MemoryBackend}),
        ]
    )
    with pytest.raises(PluginConflict, match=r"tallystick-acme 1\.2\.3 and tallystick-rival 1\.2\.3"):
        found.backend("acme://host")
    assert found.backend("only://host") is MemoryBackend


@pytest.mark.parametrize(("backend", "version"), [(OldBackend, "for version 0"), (UnversionedBackend, "no version")])
def test_contract_mismatch(install: Install, backend: type[Backend], version: str) -> None:
    """A backend for another version of the contract is rejected, and the error names both versions."""
    found = plugins.load([install("tallystick-acme", lambda: {"acme": backend})])
    rejected = rf"tallystick-acme 1\.2\.3 .*{version} of .*implements version {CONTRACT_VERSION}"
    with pytest.raises(ContractMismatch, match=rejected):
        found.backend("acme://host")


def test_broken_plugin_breaks_no_other(install: Install) -> None:
    """A plugin that fails to import does not affect others; the error for an unknown scheme mentions it."""
    found = plugins.load([missing("tallystick-zebra"), install("tallystick-acme", lambda: {"acme": MemoryBackend})])
    assert found.backend("acme://host") is MemoryBackend
    assert list(found.broken) == ["tallystick-zebra 1.2.3"]
    with pytest.raises(UnknownScheme, match=r"tallystick-zebra 1\.2\.3 failed to load: ModuleNotFoundError"):
        found.backend("zebra://host")


def test_plugin_that_raises_breaks_no_other(install: Install) -> None:
    """A plugin that raises in its hook does not affect others."""

    def hook() -> Mapping[str, type[Backend]]:
        raise RuntimeError("no driver")

    found = plugins.load(
        [install("tallystick-zebra", hook), install("tallystick-acme", lambda: {"acme": MemoryBackend})]
    )
    assert found.backend("acme://host") is MemoryBackend
    assert "no driver" in str(found.broken["tallystick-zebra 1.2.3"])


def test_import_path_of_a_backend(install: Install) -> None:
    """A backend given as an import path is imported at the first use of its scheme."""
    paths = {"acme": "tallystick_memory:MemoryBackend", "zebra": "no_such_module_anywhere:Backend"}
    found = plugins.load([install("tallystick-acme", lambda: paths)])
    assert found.backend("acme://host") is MemoryBackend
    with pytest.raises(ConfigurationError, match=r"tallystick-acme 1\.2\.3 failed to load no_such_module_anywhere"):
        found.backend("zebra://host")


@pytest.mark.parametrize(
    ("path", "message"), [("pathlib:Path", "must be a subclass of"), ("pathlib:NoSuchClass", "failed to load")]
)
def test_import_path_without_a_backend(install: Install, path: str, message: str) -> None:
    """An import path without a backend is rejected at the first use of its scheme."""
    found = plugins.load([install("tallystick-acme", lambda: {"acme": path})])
    with pytest.raises(ConfigurationError, match=message):
        found.backend("acme://host")


@pytest.mark.parametrize("url", ["", "memory", "memory:", "/var/jobs.db", "memory://[::1"])
def test_malformed_url(url: str) -> None:
    """A malformed URL is rejected, and the message shows it."""
    with pytest.raises(ConfigurationError, match="is not a"):
        open_backend(url)


def test_unknown_option() -> None:
    """An option that the backend does not know is rejected, and the error names it."""
    with pytest.raises(ConfigurationError, match=r"memory://.*colour.*Options are: none"):
        open_backend("memory://?colour=red")

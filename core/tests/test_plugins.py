import sys
from collections.abc import Callable, Mapping
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tallystick import (
    Backend,
    ConfigurationError,
    ContractMismatch,
    PluginConflict,
    UnknownScheme,
    hookimpl,
    open_backend,
    plugins,
)
from tallystick_memory import MemoryBackend


class Installed(Distribution):
    """A distribution as pip would have installed it, with one entry point."""

    def __init__(self, name: str, module: str) -> None:
        self._files = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n",
            "entry_points.txt": f"[tallystick]\n{name} = {module}\n",
        }

    def read_text(self, filename: str) -> str | None:
        """Return a file of its metadata."""
        return self._files.get(filename)

    def locate_file(self, path: Any) -> Any:
        """Say where a file would be."""
        return Path(path)


Offer = Callable[[], Mapping[str, str | type[Backend]]]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Offer], EntryPoint]:
    """Install a plugin that offers backends; return its entry point."""

    def install(name: str, offer: Offer) -> EntryPoint:
        module = ModuleType(f"{name}_plugin".replace("-", "_"))
        module.tallystick_backend = hookimpl(offer)  # type: ignore[attr-defined]  # made here
        monkeypatch.setitem(sys.modules, module.__name__, module)
        [entry_point] = Installed(name, module.__name__).entry_points
        return entry_point

    return install


Install = Callable[[str, Offer], EntryPoint]


def missing(name: str) -> EntryPoint:
    """Return the entry point of a plugin that cannot be imported."""
    [entry_point] = Installed(name, "no_such_module_anywhere").entry_points
    return entry_point


class OldBackend(MemoryBackend):
    """Written for the contract before this one."""

    contract_version = 0


class UnversionedBackend(MemoryBackend):
    """Does not say what it was written for."""

    contract_version = None  # type: ignore[assignment]  # wrong on purpose


def test_scheme_picks_the_backend(install: Install) -> None:
    """The URL's scheme picks the class that its plugin offers, in any case of letters."""
    found = plugins.load([install("tallystick-acme", lambda: {"acme": MemoryBackend})])
    assert found.backend("acme://host") is MemoryBackend
    assert found.backend("ACME://host") is MemoryBackend


def test_installed() -> None:
    """A backend that is installed is found by its entry point, with nothing imported by hand."""
    with open_backend("memory://") as backend:
        assert isinstance(backend, MemoryBackend)


def test_unknown_scheme(install: Install) -> None:
    """For a scheme that nobody serves, the error says what to install and lists what is there."""
    found = plugins.load([install("tallystick-acme", lambda: {"acme": MemoryBackend})])
    with pytest.raises(UnknownScheme, match=r"zebra://.*tallystick-zebra.*acme:// \(tallystick-acme\)"):
        found.backend("zebra://host")


def test_no_plugin() -> None:
    """Where nothing is installed, the error says so."""
    with pytest.raises(UnknownScheme, match="Installed: none"):
        plugins.load([]).backend("memory://")


def test_conflict(install: Install) -> None:
    """A scheme that two distributions serve is refused, naming both; another scheme of theirs works."""
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
    """A backend built for another version of the contract is refused, naming both versions."""
    found = plugins.load([install("tallystick-acme", lambda: {"acme": backend})])
    with pytest.raises(ContractMismatch, match=rf"tallystick-acme 1\.2\.3 .*{version} of .*implements version 1"):
        found.backend("acme://host")


def test_broken_plugin_breaks_no_other(install: Install) -> None:
    """A plugin that fails to import is kept aside; the others work, and an unknown scheme's error tells of it."""
    found = plugins.load([missing("tallystick-zebra"), install("tallystick-acme", lambda: {"acme": MemoryBackend})])
    assert found.backend("acme://host") is MemoryBackend
    assert list(found.broken) == ["tallystick-zebra 1.2.3"]
    with pytest.raises(UnknownScheme, match=r"tallystick-zebra 1\.2\.3 failed to load: ModuleNotFoundError"):
        found.backend("zebra://host")


def test_plugin_that_raises_breaks_no_other(install: Install) -> None:
    """A plugin whose offer raises is kept aside, and the others work."""

    def offer() -> Mapping[str, type[Backend]]:
        raise RuntimeError("no driver")

    found = plugins.load(
        [install("tallystick-zebra", offer), install("tallystick-acme", lambda: {"acme": MemoryBackend})]
    )
    assert found.backend("acme://host") is MemoryBackend
    assert "no driver" in str(found.broken["tallystick-zebra 1.2.3"])


def test_place_of_a_backend(install: Install) -> None:
    """A backend that is offered by its place is imported when its scheme is asked for, and not before."""
    places = {"acme": "tallystick_memory:MemoryBackend", "zebra": "no_such_module_anywhere:Backend"}
    found = plugins.load([install("tallystick-acme", lambda: places)])
    assert found.backend("acme://host") is MemoryBackend
    with pytest.raises(ConfigurationError, match=r"tallystick-acme 1\.2\.3 failed to load no_such_module_anywhere"):
        found.backend("zebra://host")


@pytest.mark.parametrize(
    ("place", "said"), [("pathlib:Path", "must be a subclass of"), ("pathlib:NoSuchClass", "failed to load")]
)
def test_place_of_no_backend(install: Install, place: str, said: str) -> None:
    """A place at which there is no backend is refused when its scheme is asked for."""
    found = plugins.load([install("tallystick-acme", lambda: {"acme": place})])
    with pytest.raises(ConfigurationError, match=said):
        found.backend("acme://host")


@pytest.mark.parametrize("url", ["", "memory", "memory:", "/var/jobs.db", "memory://[::1"])
def test_malformed_url(url: str) -> None:
    """What is not a backend's URL is refused, and the message shows it."""
    with pytest.raises(ConfigurationError, match="is not a"):
        open_backend(url)


def test_unknown_option() -> None:
    """An option that the backend does not know is refused, and named."""
    with pytest.raises(ConfigurationError, match=r"memory://.*colour.*Options are: none"):
        open_backend("memory://?colour=red")

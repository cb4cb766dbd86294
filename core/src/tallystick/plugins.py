"""Finding what is installed: entry points to plugins, URL schemes to backends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pkgutil import resolve_name
from typing import Any, cast

import pluggy

from . import hookspecs
from .backend import CONTRACT_VERSION, Backend
from .errors import ConfigurationError, ContractMismatch, PluginConflict, UnknownScheme
from .interrupts import from_signal
from .safe_repr import safe_repr
from .url_advice import for_scheme
from .urls import check

GROUP = "tallystick"

_SPELLED = {"postgresql": "postgres", "mongodb": "mongo", "mongodb+srv": "mongo"}
"""Schemes that their distribution is not called after."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One scheme that one distribution serves."""

    scheme: str
    place: str | type[Backend]
    distribution: str
    version: str

    @property
    def backend(self) -> type[Backend]:
        """The class; its module is imported at the first use.

        Raises:
            ConfigurationError: it cannot be imported, or is no backend.
        """
        if not isinstance(self.place, str):
            return self.place
        try:
            backend = resolve_name(self.place)
        except Exception as exc:
            raise ConfigurationError(
                f"{self.distribution} {self.version} failed to load {self.place}: {exc!r}"
            ) from exc
        if not _is_backend(backend):
            raise ConfigurationError(
                f"{self.distribution} {self.version} offers {self.place}, which is {backend!r}; it must be a subclass "
                "of tallystick.Backend"
            )
        return cast("type[Backend]", backend)

    def is_for(self, backend: type[Backend] | None) -> bool:
        """Say whether this offers a class, and import nothing."""
        if isinstance(self.place, str):
            return backend is not None and self.place == f"{backend.__module__}:{backend.__qualname__}"
        return self.place is backend


@dataclass(slots=True)
class Plugins:
    """The plugins of this process: their hooks, their backends, and what failed to load."""

    hooks: pluggy.PluginManager
    offers: list[Offer] = field(default_factory=list)
    broken: dict[str, BaseException] = field(default_factory=dict)

    def backend(self, url: str) -> type[Backend]:
        """Return the class that serves a URL's scheme.

        Raises:
            UnknownScheme: no installed plugin does.
            PluginConflict: more than one does.
            ContractMismatch: it was built for another version of the contract.
        """
        scheme = _scheme(url)
        offers = [offer for offer in self.offers if offer.scheme == scheme]
        if not offers:
            raise UnknownScheme(self._unknown(scheme))
        if len(offers) > 1:
            rivals = " and ".join(f"{offer.distribution} {offer.version}" for offer in offers)
            raise PluginConflict(f"{scheme}:// is served by {rivals}; uninstall all but one")
        backend = offers[0].backend
        check_contract(backend, f"{offers[0].distribution} {offers[0].version}")
        return backend

    def _unknown(self, scheme: str) -> str:
        installed = ", ".join(f"{o.scheme}:// ({o.distribution})" for o in self.offers) or "none"
        broken = "".join(f"; {name} failed to load: {safe_repr(exc)}" for name, exc in self.broken.items())
        advice = for_scheme(scheme) or (
            f"install the distribution that does, by custom called tallystick-{_SPELLED.get(scheme, scheme)}"
        )
        return f"no installed plugin serves {scheme}://; {advice}. Installed: {installed}{broken}"


def _scheme(url: str) -> str:
    return check(url).partition("://")[0].lower()


def check_contract(backend: type[Backend], name: str) -> None:
    """Refuse a backend that was built for another version of the contract."""
    built_for = getattr(backend, "contract_version", None)
    if built_for is None:
        raise ContractMismatch(
            f"{name} names no version of the backend contract, and this tallystick-core speaks version "
            f"{CONTRACT_VERSION}; its class needs `contract_version`, the one that it was written for"
        )
    if built_for != CONTRACT_VERSION:
        raise ContractMismatch(
            f"{name} was built for version {built_for} of the backend contract, and tallystick-core speaks version "
            f"{CONTRACT_VERSION}; install releases that agree"
        )


def load(found: list[EntryPoint]) -> Plugins:
    """Load plugins from entry points. One that fails to load is kept aside, and the others work."""
    plugins = Plugins(pluggy.PluginManager(GROUP))
    plugins.hooks.add_hookspecs(hookspecs)
    for entry_point in found:
        try:
            plugin = entry_point.load()
            offered = _offered(plugin)
            plugins.hooks.register(plugin, name=entry_point.value)
        except BaseException as exc:  # a module may exit where it is imported
            if from_signal(exc, KeyboardInterrupt):
                raise
            plugins.hooks.unregister(name=entry_point.value)
            plugins.broken[_label(entry_point.dist) or entry_point.value] = exc
            continue
        name, version = (
            (entry_point.dist.name, entry_point.dist.version) if entry_point.dist else (entry_point.value, "?")
        )
        plugins.offers += [Offer(scheme, place, name, version) for scheme, place in offered.items()]
    return plugins


def _offered(plugin: object) -> Mapping[str, str | type[Backend]]:
    offered: object = getattr(plugin, "tallystick_backend", dict)()
    by_scheme: dict[Any, Any] = dict(offered) if isinstance(offered, Mapping) else {None: None}
    if not all(isinstance(scheme, str) and _is_place(place) for scheme, place in by_scheme.items()):
        raise TypeError(
            f"tallystick_backend() returned {safe_repr(offered)}; it must map URL schemes to subclasses of Backend, "
            'each as "module:Class"'
        )
    return by_scheme


def _is_place(offered: object) -> bool:
    return (isinstance(offered, str) and ":" in offered) or _is_backend(offered)


def _is_backend(offered: object) -> bool:
    return isinstance(offered, type) and issubclass(offered, Backend)


def _label(distribution: Distribution | None) -> str:
    return f"{distribution.name} {distribution.version}" if distribution else ""


@cache
def installed() -> Plugins:
    """Return the plugins that are installed in this environment, loaded once."""
    return load(sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name))


def open_backend(url: str) -> Backend:
    """Open the store at a URL with the installed plugin for its scheme. It is not set up: see `Backend.setup`."""
    return installed().backend(url).from_url(url)

"""Load the installed plugins, and find the backend of a URL scheme."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pkgutil import resolve_name
from typing import Any, cast

import pluggy

from ..contract.backend import CONTRACT_VERSION, Backend
from ..errors import ConfigurationError, ContractMismatch, PluginConflict, UnknownScheme
from ..interrupts import from_signal
from ..messages.safe_repr import safe_repr
from ..messages.url_advice import for_scheme
from ..urls import check
from . import hookspecs

GROUP = "tallystick"

_DISTRIBUTION_NAMES = {"postgresql": "postgres", "mongodb": "mongo", "mongodb+srv": "mongo"}
"""The names of distributions that differ from their scheme."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A backend that a distribution registers for a URL scheme."""

    scheme: str
    target: str | type[Backend]
    distribution: str
    version: str

    @property
    def backend(self) -> type[Backend]:
        """The class of the backend. The first use imports its module.

        Raises:
            ConfigurationError: The class cannot be imported, or is not a backend.
        """
        if not isinstance(self.target, str):
            return self.target
        try:
            backend = resolve_name(self.target)
        except Exception as exc:
            raise ConfigurationError(
                f"{self.distribution} {self.version} failed to load {self.target}: {exc!r}"
            ) from exc
        if not _is_backend(backend):
            raise ConfigurationError(
                f"{self.distribution} {self.version} offers {self.target}, which is {backend!r}; it must be a subclass "
                "of tallystick.Backend"
            )
        return cast("type[Backend]", backend)

    def is_for(self, backend: type[Backend] | None) -> bool:
        """Return whether this offer is for a class, without importing it."""
        if isinstance(self.target, str):
            return backend is not None and self.target == f"{backend.__module__}:{backend.__qualname__}"
        return self.target is backend


@dataclass(slots=True)
class Plugins:
    """The loaded plugins: their hooks, their backends, and the errors of plugins that failed to load."""

    hooks: pluggy.PluginManager
    offers: list[Offer] = field(default_factory=list)
    broken: dict[str, BaseException] = field(default_factory=dict)

    def backend(self, url: str) -> type[Backend]:
        """Return the backend class for the scheme of a URL.

        Raises:
            UnknownScheme: No installed plugin serves the scheme.
            PluginConflict: More than one installed plugin serves the scheme.
            ContractMismatch: The backend was built for another version of the contract.
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
            f"install a distribution that does, usually named tallystick-{_DISTRIBUTION_NAMES.get(scheme, scheme)}"
        )
        return f"no installed plugin serves {scheme}://; {advice}. Installed: {installed}{broken}"


def _scheme(url: str) -> str:
    return check(url).partition("://")[0].lower()


def check_contract(backend: type[Backend], name: str) -> None:
    """Reject a backend that was built for another version of the contract."""
    built_for = getattr(backend, "contract_version", None)
    if built_for is None:
        raise ContractMismatch(
            f"{name} declares no version of the backend contract, and this tallystick-core implements version "
            f"{CONTRACT_VERSION}; set `contract_version` in its class to the version that it implements"
        )
    if built_for != CONTRACT_VERSION:
        raise ContractMismatch(
            f"{name} was built for version {built_for} of the backend contract, and tallystick-core implements version "
            f"{CONTRACT_VERSION}; install releases with the same version"
        )


def load(found: list[EntryPoint]) -> Plugins:
    """Load plugins from entry points. Collect the errors of those that fail, and load the others."""
    plugins = Plugins(pluggy.PluginManager(GROUP))
    plugins.hooks.add_hookspecs(hookspecs)
    for entry_point in found:
        try:
            plugin = entry_point.load()
            offered = _offered(plugin)
            plugins.hooks.register(plugin, name=entry_point.value)
        except BaseException as exc:  # an imported module may call sys.exit
            if from_signal(exc, KeyboardInterrupt):
                raise
            plugins.hooks.unregister(name=entry_point.value)
            plugins.broken[_label(entry_point.dist) or entry_point.value] = exc
            continue
        name, version = (
            (entry_point.dist.name, entry_point.dist.version) if entry_point.dist else (entry_point.value, "?")
        )
        plugins.offers += [Offer(scheme, target, name, version) for scheme, target in offered.items()]
    return plugins


def _offered(plugin: object) -> Mapping[str, str | type[Backend]]:
    offered: object = getattr(plugin, "tallystick_backend", dict)()
    by_scheme: dict[Any, Any] = dict(offered) if isinstance(offered, Mapping) else {None: None}
    if not all(isinstance(scheme, str) and _is_target(target) for scheme, target in by_scheme.items()):
        raise TypeError(
            f"tallystick_backend() returned {safe_repr(offered)}; it must map URL schemes to subclasses of Backend, "
            'each as "module:Class"'
        )
    return by_scheme


def _is_target(offered: object) -> bool:
    return (isinstance(offered, str) and ":" in offered) or _is_backend(offered)


def _is_backend(offered: object) -> bool:
    return isinstance(offered, type) and issubclass(offered, Backend)


def _label(distribution: Distribution | None) -> str:
    return f"{distribution.name} {distribution.version}" if distribution else ""


@cache
def installed() -> Plugins:
    """Return the plugins that are installed in this environment. The first call loads them."""
    return load(sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name))


def open_backend(url: str) -> Backend:
    """Open the store at a URL, with the installed plugin for its scheme. Call `setup` to create the store."""
    return installed().backend(url).from_url(url)

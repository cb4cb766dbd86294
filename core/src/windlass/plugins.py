"""Finding what is installed: entry points to plugins, URL schemes to backends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from urllib.parse import urlsplit

import pluggy

from . import hookspecs
from .backend import CONTRACT_VERSION, Backend
from .errors import ConfigurationError, ContractMismatch, PluginConflict, UnknownScheme
from .urls import redact

GROUP = "windlass"


@dataclass(frozen=True, slots=True)
class Offer:
    """One scheme that one distribution serves."""

    scheme: str
    backend: type[Backend]
    distribution: str
    version: str


@dataclass(slots=True)
class Plugins:
    """The plugins of this process: their hooks, their backends, and what failed to load."""

    hooks: pluggy.PluginManager
    offers: list[Offer] = field(default_factory=list)
    broken: dict[str, Exception] = field(default_factory=dict)

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
        return _checked(offers[0])

    def _unknown(self, scheme: str) -> str:
        installed = ", ".join(f"{o.scheme}:// ({o.distribution})" for o in self.offers) or "none"
        broken = "".join(f"; {name} failed to load: {exc!r}" for name, exc in self.broken.items())
        return (
            f"no installed plugin serves {scheme}://; install the distribution that does, by custom called "
            f"windlass-{scheme}. Installed: {installed}{broken}"
        )


def _scheme(url: str) -> str:
    try:
        scheme, separator = urlsplit(url).scheme, "://" in url
    except ValueError as exc:
        raise ConfigurationError(f"{redact(url)!r} is not a URL: {exc}") from exc
    if not scheme or not separator:
        raise ConfigurationError(f"{redact(url)!r} is not a backend URL; write scheme://..., e.g. sqlite:///jobs.db")
    return scheme


def _checked(offer: Offer) -> type[Backend]:
    built_for = getattr(offer.backend, "contract_version", None)
    if built_for != CONTRACT_VERSION:
        raise ContractMismatch(
            f"{offer.distribution} {offer.version} was built for version {built_for} of the backend contract, and this "
            f"windlass-core speaks version {CONTRACT_VERSION}; install releases that agree"
        )
    return offer.backend


def load(found: list[EntryPoint]) -> Plugins:
    """Load plugins from entry points. One that fails to load is kept aside, and the others work."""
    plugins = Plugins(pluggy.PluginManager(GROUP))
    plugins.hooks.add_hookspecs(hookspecs)
    for entry_point in found:
        try:
            plugin = entry_point.load()
            plugins.hooks.register(plugin, name=entry_point.value)
            offered: Mapping[str, type[Backend]] = getattr(plugin, "windlass_backend", dict)()
        except Exception as exc:
            plugins.broken[_label(entry_point.dist) or entry_point.value] = exc
            continue
        name, version = (
            (entry_point.dist.name, entry_point.dist.version) if entry_point.dist else (entry_point.value, "?")
        )
        plugins.offers += [Offer(scheme, backend, name, version) for scheme, backend in offered.items()]
    return plugins


def _label(distribution: Distribution | None) -> str:
    return f"{distribution.name} {distribution.version}" if distribution else ""


@cache
def installed() -> Plugins:
    """Return the plugins that are installed in this environment, loaded once."""
    return load(sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name))


def open_backend(url: str) -> Backend:
    """Open the store at a URL with the installed plugin for its scheme. It is not set up: see `Backend.setup`."""
    return installed().backend(url).from_url(url)

"""`tallystick backends`: list the installed backends."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer

from ..contract.records import Capabilities
from ..errors import ConfigurationError
from ..hooks.plugins import Offer, installed, open_backend
from . import show
from .options import Json, examples

EXAMPLES = examples("tallystick backends", "tallystick backends sqlite:///jobs.db --json")


def backends(
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="Open this store, and show its capabilities.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the installed backends; with a URL, its backend and capabilities.

    With --json: an array of objects with the keys scheme, distribution,
    version, contract_version and capabilities (null without a URL; its
    time_precision is in seconds).
    """
    plugins = installed()
    capabilities = None
    offers = plugins.offers
    if url is not None:
        with open_backend(url) as store:
            capabilities = store.capabilities
        offers = [offer for offer in offers if offer.scheme == urlsplit(url).scheme]
    for name, exc in plugins.broken.items():
        typer.echo(f"warning: {name} failed to load: {show.one_line(repr(exc))}", err=True)
    offers = list(filter(_loads, offers))
    if as_json:
        show.document([_document(offer, capabilities) for offer in offers])
    else:
        _print(offers, capabilities)


def _loads(offer: Offer) -> bool:
    try:
        return bool(offer.backend)
    except ConfigurationError as exc:
        typer.echo(f"warning: {show.one_line(str(exc))}", err=True)
        return False


def _document(offer: Offer, capabilities: Capabilities | None) -> dict[str, object]:
    return {
        "scheme": offer.scheme,
        "distribution": offer.distribution,
        "version": offer.version,
        "contract_version": offer.backend.contract_version,
        "capabilities": None if capabilities is None else _plain(capabilities),
    }


def _plain(capabilities: Capabilities) -> dict[str, object]:
    return asdict(capabilities) | {"time_precision": capabilities.time_precision.total_seconds()}


def _print(offers: list[Offer], capabilities: Capabilities | None) -> None:
    table = show.table("scheme", "distribution", "version", "contract")
    for offer in offers:
        table.add_row(f"{offer.scheme}://", offer.distribution, offer.version, str(offer.backend.contract_version))
    if capabilities is None:
        show.put(table)
        return
    able = show.table("capability", "")
    for name, value in asdict(capabilities).items():
        able.add_row(name, _words(value))
    show.put(table, show.text(), able)


def _words(value: bool | int | timedelta) -> str:
    match value:
        case bool():
            return "[green]yes[/green]" if value else "[dim]no[/dim]"
        case timedelta():
            return f"{value / timedelta(microseconds=1):,.0f} µs"
        case _:
            return f"{value:,}"

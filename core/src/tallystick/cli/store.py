"""`tallystick setup` and `tallystick backends`: create a store, and list the installed backends."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer

from ..contract.records import Capabilities
from ..errors import ConfigurationError
from ..hooks.plugins import Offer, installed, open_backend
from ..urls import redact
from . import show
from .options import Json, Url, examples, opened

SETUP_EXAMPLES = examples(
    "tallystick setup --backend sqlite:///jobs.db", "tallystick setup --sql postgresql://db/app > tallystick.sql"
)
BACKENDS_EXAMPLES = examples("tallystick backends", "tallystick backends sqlite:///jobs.db --json")


def setup(
    store_url: Annotated[str | None, typer.Argument(metavar="URL", help="The store, instead of --backend.")] = None,
    *,
    url: Url = None,
    sql: Annotated[bool, typer.Option("--sql", help="Only print the SQL that creates an empty store.")] = False,
    as_json: Json = False,
) -> None:
    """Create the store, or migrate it. Safe to repeat.

    With --json: an object with the key backend, the URL without its password;
    with --sql also sql.
    """
    url = store_url or url
    with opened(url) as store:
        script = store.script() if sql else None
        if not sql:
            store.setup()
    shown = redact(url or "")
    if as_json:
        show.document({"backend": shown} if script is None else {"backend": shown, "sql": script})
    elif script is not None:
        typer.echo(script, nl=False)
    else:
        typer.echo(f"set up: {show.printable(shown)}")


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

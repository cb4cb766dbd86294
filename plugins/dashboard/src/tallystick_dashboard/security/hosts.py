"""Check the Host header, so that no other name in DNS leads a browser to this server (DNS rebinding)."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from ..rejections import Rejection

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def allowed_names(host: str, more: Iterable[str]) -> frozenset[str]:
    """Return the names to accept: those of loopback, the address that the server listens on, and the given ones."""
    own = () if host in ("0.0.0.0", "::", "") else (f"[{host}]" if ":" in host else host,)  # compared only
    return frozenset(name.lower() for name in (*LOOPBACK_NAMES, *own, *more))


def check(headers: Mapping[str, str], allowed: frozenset[str]) -> None:
    """Reject a request whose Host header is missing, or is not one of the allowed names, with or without a port."""
    host = headers.get("host", "").lower()
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not name or not port.isdecimal():
        name = host
    if not {host, name} & allowed:
        raise Rejection(
            421, "this server does not serve the host %(host)s; add it to allowed_hosts", host=repr(host[:100])
        )


def is_loopback(host: str) -> bool:
    """Return whether an address is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

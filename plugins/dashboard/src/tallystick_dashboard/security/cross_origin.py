"""Reject cross-origin requests that change something: no site can use the browser of a user who is logged in.

Source: `net/http.CrossOriginProtection` of Go 1.25, with its test cases. Three rules are stricter. An unsafe request
with neither header needs an `Authorization` header, which no browser adds by itself to a request of another site. A
trusted origin that no browser would send is an error. No path bypasses the check.
"""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from ..rejections import Rejection

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(origin: str) -> str:
    """Return an origin, `scheme://host[:port]`; raise `ValueError` for anything else."""
    try:
        parts = urlsplit(origin)
        host = parts.hostname
        port = parts.port
    except ValueError as exc:
        raise ValueError(f"{origin!r} is not an origin: {exc}") from exc
    if not parts.scheme or not host or any(c.isspace() for c in origin):
        raise ValueError(f"{origin!r} is not an origin; write scheme://host or scheme://host:port")
    if parts.path or parts.query or parts.fragment or "?" in origin or "#" in origin:
        raise ValueError(f"{origin!r} is not an origin; it must have no path, query or fragment")
    if origin != origin.lower() or "@" in parts.netloc or (parts.scheme, port) in _DEFAULT_PORTS:
        raise ValueError(f"{origin!r} never matches; browsers send lower case, no user and no default port")
    return origin


_DEFAULT_PORTS = (("http", 80), ("https", 443))


def check(method: str, headers: Mapping[str, str], trusted: Collection[str] = ()) -> None:
    """Reject an unsafe request that another origin may have caused.

    Args:
        method: The HTTP method.
        headers: The headers, by lower-case name.
        trusted: Origins that may send requests.
    """
    if method in SAFE_METHODS:
        return
    origin = headers.get("origin", "")
    match headers.get("sec-fetch-site", ""):
        case "same-origin" | "none":
            return
        case "":
            if not origin:
                _check_program(headers)
                return
            if _host(origin) == headers.get("host", "") != "":
                return
        case _:
            pass
    if origin not in trusted:
        raise Rejection(403, "this request came from another site; repeat it on a page of the dashboard")


def _check_program(headers: Mapping[str, str]) -> None:
    if not headers.get("authorization"):
        raise Rejection(
            403,
            "a request that changes something needs the header Sec-Fetch-Site or Origin, as browsers send it, or "
            "Authorization; programs without authentication send Sec-Fetch-Site: none",
        )


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""

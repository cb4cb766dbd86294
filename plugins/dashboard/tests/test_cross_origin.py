"""The test cases of Go's `net/http.CrossOriginProtection` with their names, and the rules that are stricter.

Go's cases of bypassed paths and of another handler for rejections are left out: the dashboard has neither.
"""

import pytest
from tallystick_dashboard.rejections import Rejection
from tallystick_dashboard.security.cross_origin import check, check_origin

TRUSTED = "https://trusted.example"


def allowed(method: str, **headers: str) -> bool:
    named = {name.replace("_", "-"): value for name, value in headers.items() if value}
    try:
        check(method, {"host": "example.com", **named}, [TRUSTED])
    except Rejection as rejection:
        return rejection.status != 403
    return True


@pytest.mark.parametrize(
    ("method", "site", "origin", "expected"),
    [
        pytest.param("POST", "same-origin", "", True, id="same-origin allowed"),
        pytest.param("POST", "none", "", True, id="none allowed"),
        pytest.param("POST", "cross-site", "", False, id="cross-site blocked"),
        pytest.param("POST", "same-site", "", False, id="same-site blocked"),
        pytest.param("POST", "", "", False, id="no header with no origin (allowed in Go)"),
        pytest.param("POST", "", "https://example.com", True, id="no header with matching origin"),
        pytest.param("POST", "", "https://attacker.example", False, id="no header with mismatched origin"),
        pytest.param("POST", "", "null", False, id="no header with null origin"),
        pytest.param("GET", "cross-site", "", True, id="GET allowed"),
        pytest.param("HEAD", "cross-site", "", True, id="HEAD allowed"),
        pytest.param("OPTIONS", "cross-site", "", True, id="OPTIONS allowed"),
        pytest.param("PUT", "cross-site", "", False, id="PUT blocked"),
        pytest.param("POST", "cross-site", "https://attacker.example", False, id="server: cross-site"),
        pytest.param("POST", "same-origin", "https://attacker.example", True, id="the site decides before the origin"),
        pytest.param("POST", "unknown", "", False, id="unknown site blocked"),
        pytest.param("TRACE", "cross-site", "", False, id="other methods are unsafe"),
        pytest.param("get", "cross-site", "", False, id="methods are case-sensitive"),
        pytest.param("DELETE", "cross-site", "https://attacker.example", False, id="DELETE blocked"),
    ],
)
def test_cases_of_go(method: str, site: str, origin: str, expected: bool) -> None:
    """Sec-Fetch-Site decides; without it, the Origin must have the host of the request."""
    assert allowed(method, sec_fetch_site=site, origin=origin) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        pytest.param("http://127.0.0.1:8642", True, id="server: origin matches host"),
        pytest.param("https://127.0.0.1:8642", True, id="the Host header has no scheme"),
        pytest.param("http://127.0.0.1", False, id="no port"),
        pytest.param("http://127.0.0.1:8643", False, id="another port"),
    ],
)
def test_the_origin_matches_the_host_with_its_port(origin: str, expected: bool) -> None:
    """As Go's test with a server: the port belongs to the host."""
    assert allowed("POST", host="127.0.0.1:8642", origin=origin) is expected


@pytest.mark.parametrize(
    ("origin", "site", "expected"),
    [
        (TRUSTED, "", True),
        (TRUSTED, "cross-site", True),
        ("https://attacker.example", "", False),
        ("https://attacker.example", "cross-site", False),
        (f"{TRUSTED}.attacker.example", "", False),
        ("http://trusted.example", "cross-site", False),
    ],
)
def test_trusted_origins(origin: str, site: str, expected: bool) -> None:
    """A trusted origin may send requests. It must be equal, scheme and port included."""
    assert allowed("POST", origin=origin, sec_fetch_site=site) is expected


def test_an_unsafe_request_with_neither_header_needs_authorization() -> None:
    """Stricter than Go: a browser too old for both headers could otherwise send it with the user's cookie."""
    assert not allowed("POST")
    assert allowed("POST", authorization="Bearer secret")


def test_an_origin_that_is_no_url_is_foreign() -> None:
    """A malformed Origin never equals the host."""
    assert not allowed("POST", origin="https://[")
    assert not allowed("POST", origin="example.com")


@pytest.mark.parametrize("origin", ["https://example.com", "https://example.com:8080", "http://example.com"])
def test_valid_origins(origin: str) -> None:
    """Scheme and host, with or without a port."""
    assert check_origin(origin) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "example.com",
        "https://",
        "https://example.com/",
        "https://example.com/path",
        "https://example.com?query=value",
        "https://example.com#fragment",
        "https://ex ample.com",
        "",
        "null",
        "https://[",
        "https://example.com:port",
    ],
)
def test_invalid_origins(origin: str) -> None:
    """Anything more or less than an origin is rejected in the settings."""
    with pytest.raises(ValueError, match="is not an origin"):
        check_origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://Example.com",
        "HTTPS://example.com",
        "https://user@example.com",
        "https://example.com:443",
        "http://a:80",
    ],
)
def test_trusted_origins_that_no_browser_sends_are_rejected(origin: str) -> None:
    """Stricter than Go: such a setting would never match, without a word."""
    with pytest.raises(ValueError, match="never matches"):
        check_origin(origin)

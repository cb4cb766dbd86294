"""The test cases of Go's `net/http.CrossOriginProtection`, and the one rule that is stricter."""

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
        ("POST", "same-origin", "", True),
        ("POST", "none", "", True),
        ("POST", "cross-site", "", False),
        ("POST", "same-site", "", False),
        ("POST", "", "https://example.com", True),
        ("POST", "", "https://attacker.example", False),
        ("POST", "", "null", False),
        ("GET", "cross-site", "", True),
        ("HEAD", "cross-site", "", True),
        ("OPTIONS", "cross-site", "", True),
        ("PUT", "cross-site", "", False),
        ("DELETE", "cross-site", "https://attacker.example", False),
    ],
)
def test_cases_of_go(method: str, site: str, origin: str, expected: bool) -> None:
    """Sec-Fetch-Site decides; without it, the Origin must have the host of the request."""
    assert allowed(method, sec_fetch_site=site, origin=origin) is expected


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
    ],
)
def test_invalid_origins(origin: str) -> None:
    """Anything more or less than an origin is rejected in the settings."""
    with pytest.raises(ValueError, match="is not an origin"):
        check_origin(origin)

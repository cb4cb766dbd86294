"""The headers of every response: a strict Content Security Policy, and no framing, sniffing or caching."""

import secrets


def new_nonce() -> str:
    """Return a nonce for the scripts and styles of one response."""
    return secrets.token_urlsafe(16)


def policy(nonce: str) -> str:
    """Return the Content Security Policy. Only htmx may write HTML into a page (Trusted Types)."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types htmx",
        )
    )


def security_headers(nonce: str) -> dict[str, str]:
    """Return the headers by name."""
    return {
        "content-security-policy": policy(nonce),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }

"""Render templates for a request, in the reader's language."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from tallystick import State

from ..rejections import Rejection
from ..security.guard import path_of
from ..site import Site
from .static import asset
from .translations import accepted, translations
from .words import Words

TEMPLATES = Path(__file__).parent.parent / "templates"


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    words = Words(translations(language), language)
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # of i18n
    environment.filters |= {
        "number": words.number,
        "counted": words.counted,
        "percent": words.percent,
        "span": words.span,
        "held": words.held,
        "lasting": words.lasting,
        "problem": words.problem,
        "rule": words.rule,
        "action": words.action,
        "translated": words.rejection,
        "headline": words.headline,
        "iso": lambda moment: moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "utc": lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "pretty": pretty,
    }
    environment.globals |= {"capped": words.capped, "relative": words.relative, "State": State}
    return environment


def pretty(value: Any) -> str:
    """Return a JSON value with indents."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def language_of(site: Site, request: Request) -> str:
    """Return the language of the settings, or else the one that the browser prefers."""
    return site.settings.language or accepted(request.headers.get("accept-language", ""))


def url_for(request: Request, path: str, query: Mapping[str, Any] | None = None) -> str:
    """Return a URL of the dashboard, below the point where it is mounted."""
    root: str = request.scope.get("root_path", "").rstrip("/")
    pairs = [(name, value) for name, value in (query or {}).items() if value not in (None, "", [])]
    return root + quote(path, safe="/~") + (f"?{urlencode(pairs, doseq=True)}" if pairs else "")


def render(site: Site, request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page. Text that UTF-8 cannot encode is escaped."""
    language = language_of(site, request)
    context = {
        "site": site,
        "settings": site.settings,
        "user": request.scope.get("tallystick_user"),
        "nonce": request.scope["tallystick_nonce"],
        "language": language,
        "now": datetime.now(UTC),
        "path": path_of(request.scope),
        "here": url_for(request, path_of(request.scope)) + (f"?{request.url.query}" if request.url.query else ""),
        "url": lambda path, **query: url_for(request, path, query),
        "asset": lambda name: url_for(request, asset(name)),
        "done": request.query_params.get("done"),
        **values,
    }
    html: str = _environment(language).get_template(template).render(context)
    headers = {"vary": "Accept, Accept-Language, Cookie"}
    return HTMLResponse(html.encode("utf-8", "backslashreplace"), status, headers)


def prefers_html(request: Request) -> bool:
    """Return whether a browser asks for a page. Programs get JSON."""
    path = path_of(request.scope)
    return "text/html" in request.headers.get("accept", "") and not path.startswith("/api/")


def error_page(site: Site, request: Request, rejection: Rejection) -> Response:
    """Return the page of a rejection. A stranger gets the page to log in."""
    if rejection.status == 401 and site.authentication.has_login:
        back = url_for(request, path_of(request.scope)) if request.method == "GET" else ""
        page = render(site, request, "login.html", 401, back=back, wrong=False)
    else:
        page = render(site, request, "error.html", rejection.status, rejection=rejection)
    page.headers.update(rejection.headers)
    return page

"""Serve the files in `static`. Their URLs carry a hash, so browsers may keep them."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parent.parent / "static"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@cache
def _files() -> dict[str, bytes]:
    return {
        path.relative_to(STATIC).as_posix(): path.read_bytes()
        for path in sorted(STATIC.rglob("*"))
        if path.suffix in _TYPES
    }


@cache
def asset(name: str) -> str:
    """Return the path of a file with the hash of its content."""
    return f"/static/{sha256(_files()[name]).hexdigest()[:12]}/{name}"


async def serve(request: Request) -> Response:
    """Serve a file. Only names that exist in the folder are found, so no path leads out of it."""
    name = request.path_params["name"]
    content = _files().get(name)
    if content is None:
        raise HTTPException(404)
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(content, headers=headers, media_type=_TYPES[Path(name).suffix])

"""The console's own files: style sheets and scripts, named with a digest of their content and so kept for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.pages.failures import not_found
from api.pages.visits import PATH

STATIC = Path(__file__).with_name("static")
_MEDIA_TYPES: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def _asset(name: str) -> tuple[bytes, str]:
    """Content and digest. Only names that a template or the folder gave come here."""
    content = (STATIC / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in STATIC.iterdir() if path.suffix in _MEDIA_TYPES)


def asset_url(name: str) -> str:
    """The address of a file of `static/`."""
    return f"{PATH}/static/{_asset(name)[1]}/{name}"


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _names():
        raise not_found("file")
    content, digest = _asset(name)
    kept = _FOR_EVER if request.path_params["digest"] == digest else "no-cache"
    return Response(content, media_type=_MEDIA_TYPES[Path(name).suffix], headers={"Cache-Control": kept})


def asset_routes() -> list[Route]:
    return [Route("/static/{digest}/{name}", _serve, methods=["GET"])]

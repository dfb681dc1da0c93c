"""`/docs`: the API description as a page. Swagger UI's files come with the package fastapi-offline, not from a CDN."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

# Styles may stand inline: Swagger UI writes style attributes. Scripts may not, so the page starts from a file.
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Orders API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>The description itself is at <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

# The page keeps no token, and no validator elsewhere is asked about the description.
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: true,
});
"""

_ASSETS = Path(str(files("fastapi_offline"))) / "static"
_MEDIA_TYPES: Mapping[str, str] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}


def docs_router() -> APIRouter:
    """The page and its files. The app itself is made with `docs_url=None, redoc_url=None`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(_PAGE, headers=dict(_HEADERS))

    @router.get("/docs/{name}")
    async def asset(name: str) -> Response:
        if name == "start.js":
            return Response(_START, media_type="text/javascript", headers=dict(_HEADERS))
        if name not in _MEDIA_TYPES:
            raise HTTPException(404)
        return FileResponse(_ASSETS / name, media_type=_MEDIA_TYPES[name], headers=dict(_HEADERS))

    return router

"""What every answer of the console carries, and what every form must bring."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.decoding import read_body
from api.pages.failures import PageError

FORM_TYPE = "application/x-www-form-urlencoded"
TOKEN_FIELD = "form_token"  # noqa: S105  # the name of a field
MAX_FIELDS = 40

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers would then send `Origin: null` with our own forms (Fetch standard, 3.2).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_HTTPS_FOR_A_YEAR = "max-age=31536000"


class SecurityHeaders:
    """Puts them on every answer, also on errors; what sets no Cache-Control of its own is not stored.

    `https_only`: browsers shall come here by HTTPS alone from now on (RFC 6797).
    """

    def __init__(self, app: ASGIApp, *, https_only: bool = False) -> None:
        self._app = app
        self._headers = {**_HEADERS, "Strict-Transport-Security": _HTTPS_FOR_A_YEAR} if https_only else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_guarded)


def require_same_origin(request: Request) -> None:
    """Raise PageError where another site's page sends the form (Sec-Fetch-Site, else Origin against Host)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        ours = site == "same-origin"
    else:
        ours = urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "")
    if not ours:
        raise PageError(
            403, "Not from here", "This form was sent by a page of another site. Open it here and try again."
        )


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises PageError; ApiError where the body is too large or too slow."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise PageError(415, "Not a form", "Send the fields of the form, nothing else.")
    body = await read_body(request)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise PageError(400, "Not readable", "The form could not be read.") from None
    values = dict(fields)
    if len(values) != len(fields) or any("\x00" in value for value in values.values()):
        raise PageError(400, "Not readable", "The form could not be read.")
    return values

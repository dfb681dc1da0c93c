"""The one shape of every JSON answer, and the request id that ties an answer to the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from api.statuses import STATUSES, SUCCESS, message_for
from application.ports import GatewayCodes
from application.randomness import random_base32

_HEADERS: Final = (  # of every answer, as they are sent
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
_DEFAULT_RETRY_S: Mapping[int, int] = {429: 60, 503: 1}  # these two codes always say when to come back


def new_request_id() -> str:
    """`req_` and 26 characters of base32 (130 random bits)."""
    return "req_" + random_base32(26).lower()


class JsonAnswer(Response):
    """A response whose body and headers are bytes already: none is encoded, and nothing is looked for among them."""

    def __init__(self, body: bytes, status_code: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.body, self.status_code, self.background = body, status_code, None
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]


class Envelope(msgspec.Struct, frozen=True):
    """One answer. `shown` holds the views that were asked for: `session`, `application`.

    `param` is a path as `order.add_on_services[0].slug`, `detail` a slug; neither holds a submitted value.
    """

    status: str
    request_id: str
    data: Mapping[str, Any] | None = None
    param: str | None = None
    detail: str | None = None
    gateway: GatewayCodes | None = None
    retry_after_seconds: int | None = None
    shown: Mapping[str, Any] = msgspec.field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        status = STATUSES[self.status]
        content: dict[str, Any] = {
            "status": status.slug,
            "code": status.code,
            "message": message_for(status, self.detail),
            "data": self.data,
            "request_id": self.request_id,
        }
        if status.slug != SUCCESS:
            content["error"] = {
                "param": self.param or None,
                "detail": self.detail,
                "gateway": _gateway(self.gateway),
                "retry_after_seconds": self.retry_after_s,
            }
        content.update(self.shown)
        return content

    @property
    def retry_after_s(self) -> int | None:
        if self.retry_after_seconds is not None:
            return self.retry_after_seconds
        return _DEFAULT_RETRY_S.get(STATUSES[self.status].code)

    def headers(self) -> dict[str, str]:
        """Those that only some answers have."""
        headers: dict[str, str] = {}
        if (retry_after_s := self.retry_after_s) is not None:
            headers["Retry-After"] = str(retry_after_s)
        if STATUSES[self.status].code == 401:
            headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, section 11.6.1
        return headers

    def response(self, extra_headers: dict[str, str] | None = None) -> Response:
        headers = [*_HEADERS]
        for name, value in (self.headers() | (extra_headers or {})).items():
            headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
        return JsonAnswer(msgspec.json.encode(self.content()), STATUSES[self.status].code, headers)


def _gateway(codes: GatewayCodes | None) -> dict[str, str | None] | None:
    if codes is None or (codes.response_code is None and codes.reason_code is None):
        return None
    return {"response_code": codes.response_code, "reason_code": codes.reason_code}

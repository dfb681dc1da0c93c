"""A client of the HTTP API that says nothing on its own account, and the one shape that every answer has."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

PAY = "/api/v1/orders/pay_and_submit"
ORDERS = "/api/v1/orders"
ANSWER_LIMIT_S = 20.0


@dataclass(frozen=True)
class Answer:
    code: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.text)
        return content

    @property
    def status(self) -> str:
        return str(self.json["status"])

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def order(self) -> dict[str, Any]:
        order: dict[str, Any] = self.data["order"]
        return order

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json["error"]
        return error

    @property
    def fault(self) -> tuple[str, str | None]:
        """The status and the parameter at fault."""
        return self.status, self.error["param"]

    @property
    def request_id(self) -> str:
        return str(self.json["request_id"])

    def require_envelope(self, status: str, code: int, *, views: frozenset[str] = frozenset()) -> None:
        """The answer has this status and HTTP code, and the shape of the contract, nothing more and nothing less."""
        content = self.json
        assert (content["status"], content["code"], self.code) == (status, code, code), self.text
        wanted = {"status", "code", "message", "data", "request_id"} | views
        assert set(content) == (wanted if status == "action-successful" else wanted | {"error"})
        assert content["message"]
        assert re.fullmatch(r"req_[a-z2-7]{26}", content["request_id"])
        assert self.headers["X-Request-Id"] == content["request_id"]
        assert self.headers["Content-Type"] == "application/json"
        assert self.headers["Cache-Control"] == "no-store"
        assert (self.headers["WWW-Authenticate"] is not None) == (code == 401)
        if "error" in content:
            self._require_error()

    def _require_error(self) -> None:
        error = self.error
        assert set(error) == {"param", "detail", "gateway", "retry_after_seconds"}
        assert error["gateway"] is None or set(error["gateway"]) == {"response_code", "reason_code"}
        retry_after_s = error["retry_after_seconds"]
        assert self.headers["Retry-After"] == (None if retry_after_s is None else str(retry_after_s))


@dataclass
class Api:
    """One running server, and every answer that it gave."""

    url: str
    answers: list[Answer] = field(default_factory=list)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=ANSWER_LIMIT_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()
        self.answers.append(answer)
        return answer

    def pay(self, body: Mapping[str, Any] | bytes, content_type: str = "application/json", **headers: str) -> Answer:
        """pay_and_submit; `Idempotency_Key="k"` becomes a header."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", PAY, content, {"Content-Type": content_type, **named})

    def get(self, path: str, token: str | None, query: Mapping[str, Any] | None = None) -> Answer:
        """A reading route, with a Bearer token."""
        target = f"{path}?{urlencode(query)}" if query else path
        return self.send("GET", target, headers={"Authorization": f"Bearer {token}"} if token else {})

"""A visitor of the console without a browser: keeps the cookie, sends forms as a browser would, follows nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.end_to_end.client import Answer, Api

FORM = "application/x-www-form-urlencoded"


@dataclass
class Visitor:
    """One browser's worth of state against one running server."""

    api: Api
    cookie: str | None = None
    form_token: str = ""
    seen: list[str] = field(default_factory=list)  # every page

    def get(self, path: str, **headers: str) -> Answer:
        return self._send("GET", path, None, headers)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a form with the token of the last page; `Origin=...` as a keyword replaces a header."""
        body = urlencode({"form_token": self.form_token, **fields}).encode()
        return self._send("POST", path, body, {"Content-Type": FORM, "Origin": self.api.url, **headers})

    def sign_in(self, token: str) -> Answer:
        self.get("/console/sign-in")
        answer = self.post("/console/sign-in", {"token": token, "next": ""})
        if answer.code == 303:
            self.get("/console/")  # for the form token of the new visit
        return answer

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        answer = self.api.send(method, path, body, sent)
        if set_cookie := answer.headers["Set-Cookie"]:
            self.cookie = set_cookie.partition(";")[0]
        if found := re.search(r'name="form_token" value="([^"]+)"', answer.text):
            self.form_token = found[1]
        self.seen.append(answer.text)
        return answer


def text_of(answer: Answer) -> str:
    """What a person reads: without tags, with single spaces."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.text))).strip()

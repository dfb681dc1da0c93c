"""The cookie of a visit, and the form tokens that are bound to it.

The cookie is encrypted and authenticated (Fernet: AES-128-CBC with HMAC-SHA256). It holds a random number and, once
somebody has signed in, the keyed hash under which the directory knows the session: never the token itself.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.requests import Request
from starlette.responses import Response

from api.stand_ins import is_local

COOKIE = "orders_console"
PATH = "/console"
LIFETIME = timedelta(hours=12)  # then one signs in again, however long the session lasts
_MAX_COOKIE_CHARS = 1000


@dataclass(frozen=True)
class Visit:
    """One browser's visit; `session` is the hash of a session's token, None before signing in."""

    nonce: str
    session: str | None = None

    @classmethod
    def new(cls, session: str | None = None) -> Visit:
        return cls(secrets.token_urlsafe(18), session)


class Visits:
    """Reads and writes the cookie; one per process, the same in every process that has the same secret.

    `always_secure`: also where the request looks like plain HTTP to this machine, as behind a TLS proxy it may.
    """

    def __init__(self, secret: bytes, *, always_secure: bool = False) -> None:
        self._always_secure = always_secure
        key = HKDF(SHA256(), 64, salt=None, info=b"orders console").derive(secret)
        self._fernet = Fernet(base64.urlsafe_b64encode(key[:32]))
        self._form_key = key[32:]

    def read(self, request: Request, now: datetime) -> Visit | None:
        """The visit, where the cookie is ours and not too old."""
        value = request.cookies.get(COOKIE, "")
        if not 0 < len(value) <= _MAX_COOKIE_CHARS:
            return None
        try:
            plain = self._fernet.decrypt_at_time(value.encode(), int(LIFETIME.total_seconds()), int(now.timestamp()))
        except (InvalidToken, ValueError):
            return None
        content = json.loads(plain)
        return Visit(content["nonce"], content["session"])

    def write(self, request: Request, response: Response, visit: Visit, now: datetime) -> None:
        """Set the cookie on an answer."""
        plain = json.dumps({"nonce": visit.nonce, "session": visit.session}).encode()
        response.set_cookie(
            COOKIE,
            self._fernet.encrypt_at_time(plain, int(now.timestamp())).decode(),
            max_age=int(LIFETIME.total_seconds()),
            path=PATH,
            httponly=True,
            samesite="strict",
            secure=self._secure(request),
        )

    def forget(self, request: Request, response: Response) -> None:
        """Take the cookie away."""
        secure = self._secure(request)
        response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict", secure=secure)

    def _secure(self, request: Request) -> bool:
        return self._always_secure or not _on_this_machine(request)

    def form_token(self, visit: Visit) -> str:
        """What every form of this visit carries."""
        return hmac.new(self._form_key, f"{visit.nonce}.{visit.session or ''}".encode(), "sha256").hexdigest()

    def is_form_token(self, visit: Visit, presented: str) -> bool:
        return hmac.compare_digest(self.form_token(visit).encode(), presented.encode())


def _on_this_machine(request: Request) -> bool:
    """Plain HTTP to this machine itself, where a browser could not keep a Secure cookie."""
    return request.url.scheme == "http" and is_local(request.url.hostname or "")

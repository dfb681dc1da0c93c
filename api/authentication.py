"""Who asks: the token of a session or of an application, and the capacity in which its owner acts."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from starlette.requests import Request

from api.decoding import header_values
from api.errors import ApiError, invalid, missing
from api.rate_limiting import RateLimiter, hold_to_limit
from api.session_expiry import has_expired
from api.statuses import REGISTER_PATH
from api.views.session import SESSION_VIEWS
from application.commands import Requester
from application.ports import ApplicationRecord, Directory, DirectoryUnavailable, SessionRecord

logger = logging.getLogger(__name__)

DEFAULT_APPLICATION = "planoorder"
ORDERING_ROLES = ("employee", "liaison", "client")  # highest first
TOUCH_INTERVAL = timedelta(minutes=1)

_MAX_TOKEN_CHARS = 256
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}")


class TokenHasher(Protocol):
    def token_hash(self, token: str, /) -> str:
        """The keyed hash under which the directory knows the token."""
        ...


class Authenticated(msgspec.Struct, frozen=True):
    """The owner of a valid token: exactly one of `session` and `application` is there."""

    token_hash: str
    session: SessionRecord | None = None
    application: ApplicationRecord | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple([role.role for role in self.session.user.roles]) if self.session else ()

    @property
    def client_ids(self) -> tuple[int, ...]:
        """The user's own clients; the first is meant where none is named."""
        roles = self.session.user.roles if self.session else ()
        return tuple([role.client_id for role in roles if role.role == "client" and role.client_id is not None])


class Actor(msgspec.Struct, frozen=True):
    """The requester in its role, and the clients that are its own: what decides on access to orders."""

    requester: Requester
    client_ids: tuple[int, ...]

    @property
    def sees_all_clients(self) -> bool:
        return self.requester.role in {"employee", "liaison", "application"}


@dataclass(frozen=True)
class Authenticator:
    """Checks tokens against the directory; one per process."""

    directory: Directory
    hasher: TokenHasher
    limiter: RateLimiter

    async def authenticate(self, request: Request, params: Mapping[str, Any], now: datetime) -> Authenticated:
        """The owner of the token in the body or in the Authorization header.

        Raises ApiError missing-param or invalid-param on `token`, invalid-token, session-expired, and
        rate-limit-exceeded where an address keeps sending invalid tokens.
        """
        found = await self._owner(presented_token(request, params))
        if found is None:
            await hold_to_limit(self.limiter, f"address:{_address(request)}", now)
            raise ApiError("invalid-token")
        if found.session is None:
            return found
        if has_expired(found.session, now):
            raise ApiError("session-expired")
        session = await self._touched(found.session, now)
        return found if session is found.session else Authenticated(found.token_hash, session=session)

    async def of_session(self, token_hash: str, now: datetime) -> Authenticated | None:
        """The owner of a session known by the hash of its token; None where it is revoked or has expired."""
        session = await self.directory.session(token_hash)
        if session is None or has_expired(session, now):
            return None
        return Authenticated(token_hash, session=await self._touched(session, now))

    async def hold_to_limit(self, authenticated: Authenticated, now: datetime) -> None:
        """Raise ApiError rate-limit-exceeded where the token has been used too often."""
        await hold_to_limit(self.limiter, f"token:{authenticated.token_hash}", now)

    async def _owner(self, token: object) -> Authenticated | None:
        if not isinstance(token, str) or not 0 < len(token) <= _MAX_TOKEN_CHARS:
            return None
        token_hash = self.hasher.token_hash(token)
        if session := await self.directory.session(token_hash):
            return Authenticated(token_hash, session=session)
        if application := await self.directory.application_by_token(token_hash):
            return Authenticated(token_hash, application=application)
        return None

    async def _touched(self, session: SessionRecord, now: datetime) -> SessionRecord:
        """Note the use, at most once a minute. A note that fails costs idle time, not the request."""
        if now - session.last_used_at < TOUCH_INTERVAL:
            return session
        try:
            await self.directory.touch_session(session.token_hash, now)
        except DirectoryUnavailable:
            logger.warning("session not touched: the directory cannot be written")
            return session
        return replace(session, last_used_at=now)


def presented_token(request: Request, params: Mapping[str, Any]) -> object:
    """The token as passed, of whatever type; the body and the header may both carry it if they agree."""
    tokens: list[object] = [params["token"]] if "token" in params else []
    for header in header_values(request, b"authorization"):
        scheme, _, credentials = header.strip().partition(" ")
        if scheme.lower() == "bearer":
            tokens.append(credentials.strip())
    if not tokens:
        raise missing("token")
    if any(token != tokens[0] for token in tokens):
        raise invalid("token", "tokens-differ")
    return tokens[0]


def require_ordering_role(authenticated: Authenticated, session_view: object = None) -> None:
    """Raise ApiError client-required, with the session, for a user who is neither client, employee nor liaison."""
    session = authenticated.session
    if session is None or any(role in ORDERING_ROLES for role in authenticated.roles):
        return
    name = session_view if isinstance(session_view, str) and session_view in SESSION_VIEWS else "default"
    raise ApiError(
        "client-required",
        detail="register-as-client",
        data={"register_at": REGISTER_PATH},
        session=SESSION_VIEWS[name](session),
    )


async def application_asked(
    directory: Directory, authenticated: Authenticated, slug: object
) -> ApplicationRecord | None:
    """The application acted through: the one named, else planoorder, else the application token's own.

    None where the name cannot be right: unknown, or another than the application token's own.
    """
    if (own := authenticated.application) is not None:
        return own if slug is None or slug == own.slug else None
    wanted = DEFAULT_APPLICATION if slug is None else slug
    if not isinstance(wanted, str) or not _SLUG.fullmatch(wanted):
        return None
    return await directory.application(wanted)


def acting_as(authenticated: Authenticated, application: ApplicationRecord | None, permission: str) -> Actor:
    """The requester in the highest of its user's roles that the application serves.

    Raises ApiError invalid-param on `application` where there is no such role or the permission is missing.
    """
    if application is None or permission not in application.permissions:
        raise invalid("application")
    session = authenticated.session
    if session is None:
        return Actor(Requester(f"application:{application.slug}", application.slug, "application", None), ())
    held = authenticated.roles
    role = next((r for r in ORDERING_ROLES if r in held and r in application.roles), None)
    if role is None:
        raise invalid("application")
    user = session.user
    return Actor(Requester(f"user:{user.id}", application.slug, role, user.designation), authenticated.client_ids)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"

"""A checked directory file as values: what reading a file gives, and what writing one takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from application.ports import (
    ApplicationRecord,
    ClientRecord,
    PaymentMethodRecord,
    PromotionRecord,
    ServiceRecord,
    UserRecord,
)

EXAMPLE_TOKEN_SUFFIX = "-example-token"  # noqa: S105 - how example tokens end, not a token


class InvalidImport(Exception):
    """The file cannot be taken, and nothing was written. `path` is the place, as `sessions[1].user_id`.

    Never holds a value of the file, which may be a secret.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class ImportedRoute:
    slug: str
    method: str
    path: str
    deployed: bool
    sensitive_params: bool


@dataclass(frozen=True)
class ImportedApiService:
    slug: str
    deployed: bool
    routes: tuple[ImportedRoute, ...]


@dataclass(frozen=True)
class ImportedApplication:
    record: ApplicationRecord
    token: str = field(repr=False)


@dataclass(frozen=True)
class ImportedSession:
    token: str = field(repr=False)
    user_id: int
    created_at: datetime
    last_used_at: datetime
    remember_me: bool


@dataclass(frozen=True)
class DirectoryImport:
    """A checked directory file. None stands for a section that is not there and so changes nothing.

    `promotions` carry version 0: the version is that of their event stream, which no file knows.
    """

    read_at: datetime  # what `now` meant; aware UTC
    api_services: tuple[ImportedApiService, ...] | None = None
    applications: tuple[ImportedApplication, ...] | None = None
    users: tuple[UserRecord, ...] | None = None
    clients: tuple[ClientRecord, ...] | None = None
    sessions: tuple[ImportedSession, ...] | None = None
    payment_methods: tuple[PaymentMethodRecord, ...] | None = None
    services: tuple[ServiceRecord, ...] | None = None
    promotions: tuple[PromotionRecord, ...] | None = None

    @property
    def tokens(self) -> list[str]:
        """Every token of the file, of applications and of sessions."""
        applications, sessions = self.applications or (), self.sessions or ()
        return [*(entry.token for entry in applications), *(entry.token for entry in sessions)]

    @property
    def has_example_tokens(self) -> bool:
        """Whether it holds tokens that everybody can read in the documentation."""
        return any(is_example(token) for token in self.tokens)


def is_example(token: str) -> bool:
    """Whether it is one of the tokens that everybody can read in the documentation."""
    return token.endswith(EXAMPLE_TOKEN_SUFFIX)

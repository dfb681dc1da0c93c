"""What the sandbox mail provider is told when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class MailConfig:
    """Key, delays and limits. The defaults need no account anywhere."""

    api_key: str = field(default="sandbox-mandrill-key", repr=False)
    webhook_url: str | None = None  # webhooks are sent only where both are given
    webhook_key: str | None = field(default=None, repr=False)
    webhook_timeout_s: float = 3.0
    webhook_pauses_s: tuple[float, ...] = (0.2, 1.0)  # before the second, third ... try
    index_delay_s: float = 0.0  # until a message shows in messages/search
    indexed_metadata: frozenset[str] = frozenset(
        {"order_id", "email_id"}
    )  # what a query can find; at most 10 at the vendor
    searches_per_minute: int = 20  # the vendor's limit; above it 429
    delay_ms: int = 0  # before every answer to a send
    slow_s: float = 3.0  # before the answer to `mail-slow@`
    hang_s: float = 120.0  # after which a send that is never answered is dropped
    oversized_bytes: int = 4 * 1024 * 1024  # of the answer to `mail-too-large@`
    max_messages: int = 500_000  # then every send is answered with ServiceUnavailable
    max_bodies: int = 1_000  # of the newest messages; older ones keep everything but text and html
    clock: Callable[[], datetime] = _now  # aware UTC

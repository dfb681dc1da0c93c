"""What a sandbox gateway is told when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class GatewayConfig:
    """Keys, delays and limits. The defaults need no account anywhere."""

    login_id: str = "sandbox-login"
    transaction_key: str = field(default="sandbox-key-0001", repr=False)  # at most 16 characters
    signature_key: str | None = field(default=None, repr=False)  # of the webhooks
    webhook_url: str | None = None  # webhooks are sent only where both are given
    webhook_timeout_s: float = 3.0
    webhook_pauses_s: tuple[float, ...] = (0.2, 1.0)  # before the second, third ... try
    seed: int | None = None  # of the ids; None for other ids at every start
    delay_ms: int = 0  # before every answer
    slow_s: float = 5.0  # before the answer of the profile `slow`
    late_s: float = 5.0  # until the charge of `approved-late` appears
    hang_s: float = 120.0  # after which a request that is never answered is dropped
    oversized_bytes: int = 4 * 1024 * 1024
    max_transactions: int = 500_000  # then every charge is answered with E00104
    clock: Callable[[], datetime] = _now  # aware UTC

"""How to reach Mandrill, with which key, and every limit on a call."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MandrillConfig:
    """The settings of one Mandrill account. The key never shows in `repr`."""

    url: str  # the base, as https://mandrillapp.com/api/1.3
    api_key: str = field(repr=False)
    email_from: str  # an address, or a name and an address: Orders <orders@example.com>
    connect_timeout_s: float = 2.0  # until a connection is there: wait for a slot, DNS, TCP and TLS together
    deadline_s: float = 5.0  # from the first step to the last byte of the answer
    max_answer_bytes: int = 2 * 1024 * 1024
    max_connections: int = 1024  # calls on the way at once; more than one process takes orders at once

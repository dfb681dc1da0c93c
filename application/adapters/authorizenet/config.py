"""How to reach Authorize.net, with which keys, and every limit on a call."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AuthorizeNetConfig:
    """The settings of one merchant account. The keys never show in `repr`."""

    url: str  # the full URL of request.api; one URL serves every operation
    login_id: str = field(repr=False)  # API login ID, at most 25 characters
    transaction_key: str = field(repr=False)  # 16 characters
    connect_timeout_s: float = 3.0  # until a connection is there: wait for a slot, DNS, TCP and TLS together
    deadline_s: float = 25.0  # for whatever moves money: from the first step to the last byte of the answer
    lookup_timeout_s: float = 10.0  # the same, for one request of a lookup
    max_answer_bytes: int = 2 * 1024 * 1024  # a full list page of 1000 rows has about 1 MB
    max_connections: int = 1024  # calls on the way at once; more than one process takes orders at once

"""What the use cases need from the world, as Protocols, and the values that cross those lines.

Every port is asynchronous: hundreds of orders wait for slow vendors in one process at no cost but memory, and a
simulation can drive the same code on a virtual clock.
"""

from __future__ import annotations

from application.ports.directory import (
    ApplicationRecord,
    ClientRecord,
    Directory,
    DirectoryUnavailable,
    OrderInputs,
    PaymentMethodRecord,
    PromotionRecord,
    Role,
    RouteRecord,
    ServiceRecord,
    SessionRecord,
    UserRecord,
)
from application.ports.gateway import (
    Accepted,
    Approved,
    ChargeOutcome,
    ChargeRequest,
    CorrectionOutcome,
    Declined,
    DuplicateAtGateway,
    GatewayFailed,
    HeldForReview,
    LookupFailed,
    NotSent,
    OutcomeUnknown,
    PartiallyApproved,
    PaymentGateway,
    Rejected,
    SettledBatch,
    TransactionDetails,
    TransactionState,
    TransactionSummary,
)
from application.ports.keys import (
    KeyDestroyed,
    KeyStore,
)
from application.ports.mail import (
    Email,
    Mailer,
    MailResult,
)
from application.ports.system import (
    Clock,
    Ids,
)
from domain.payment import GatewayCodes

__all__ = [
    "Accepted",
    "ApplicationRecord",
    "Approved",
    "ChargeOutcome",
    "ChargeRequest",
    "ClientRecord",
    "Clock",
    "CorrectionOutcome",
    "Declined",
    "Directory",
    "DirectoryUnavailable",
    "DuplicateAtGateway",
    "Email",
    "GatewayCodes",
    "GatewayFailed",
    "HeldForReview",
    "Ids",
    "KeyDestroyed",
    "KeyStore",
    "LookupFailed",
    "MailResult",
    "Mailer",
    "NotSent",
    "OrderInputs",
    "OutcomeUnknown",
    "PartiallyApproved",
    "PaymentGateway",
    "PaymentMethodRecord",
    "PromotionRecord",
    "Rejected",
    "Role",
    "RouteRecord",
    "ServiceRecord",
    "SessionRecord",
    "SettledBatch",
    "TransactionDetails",
    "TransactionState",
    "TransactionSummary",
    "UserRecord",
]

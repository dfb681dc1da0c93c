"""Every business refusal, in order of precedence: the first that applies is the answer.

A refusal is a fact: the order is recorded with it. `status` is the API's slug, `rule` says which rule refused (for the
log and for finance; a client is not told which codes exist).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID


class Refusal(Exception):
    """A rule forbids the order. Nothing was or will be charged for it."""

    status: str

    def __init__(
        self,
        rule: str,
        *,
        promotion_id: UUID | None = None,
        earlier_order_id: UUID | None = None,
        blocked_until: datetime | None = None,
    ) -> None:
        super().__init__(f"{self.status}: {rule}")
        self.rule = rule
        self.promotion_id = promotion_id
        self.earlier_order_id = earlier_order_id
        self.blocked_until = blocked_until


class InvalidPromotion(Refusal):
    """1. No such code, inactive, outside its dates, or meant for another designation."""

    status = "invalid-promotion"


class DuplicatePayment(Refusal):
    """2. The same thing was just paid, or an earlier payment for it is still open."""

    status = "duplicate-payment"


class PromotionExpended(Refusal):
    """3. This user has used the promotion, or another order of theirs holds it right now."""

    status = "promotion-expended"


class CardExpired(Refusal):
    """4. The card is past the last day of its month, so it is not even tried."""

    status = "card-expired"


PRECEDENCE: tuple[type[Refusal], ...] = (InvalidPromotion, DuplicatePayment, PromotionExpended, CardExpired)

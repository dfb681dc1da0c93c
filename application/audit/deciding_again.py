"""The decision about one order, taken again under another policy, by the rules in their order of precedence."""

from __future__ import annotations

from dataclasses import dataclass

from application.audit import facts
from application.audit.other_policy import PromotionPolicy, Verdict
from application.audit.other_world import OtherWorld, Use
from domain.pricing import discounts_cents
from domain.promotion import PromotionTerms


@dataclass(frozen=True)
class Terms:
    """The promotion of an order, as far as the log knows it: as it was, what is other now, and whose use it is."""

    then: PromotionTerms | None
    other: PromotionPolicy
    use: Use | None

    @property
    def now(self) -> PromotionTerms | None:
        """As they would have been."""
        then, other = self.then, self.other
        if then is None or (other.percent_off is None and other.amount_off_cents is None):
            return then
        return PromotionTerms(
            then.promotion_id, then.version, then.code, other.percent_off, other.amount_off_cents, then.designation
        )


def decide_again(world: OtherWorld, order: facts.Requested, was: Verdict, terms: Terms) -> Verdict:
    """The first rule that forbids the order, else its total. A code that was not valid then stays so."""
    subtotal_cents = order.subtotal_cents
    if was.status == "invalid-promotion":
        return was
    if terms.then is not None and terms.other.off:
        return Verdict(subtotal_cents, "invalid-promotion", "inactive")
    if (rule := world.duplicate(order.duplicate_window_id, order.timestamp)) is not None:
        return Verdict(subtotal_cents, "duplicate-payment", rule)
    if terms.use is not None and (rule := world.expended(terms.use, terms.other.uses or 1)) is not None:
        return Verdict(subtotal_cents, "promotion-expended", rule)
    total_cents = subtotal_cents - sum(discounts_cents(order.lines, terms.now))
    if was.status == "card-expired" and total_cents:
        return was
    return Verdict(total_cents)

"""Another policy, to replay history under, and what came of it: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

UNKNOWABLE = (
    "How the bank would have answered an order that was refused then, or that was free then: such orders are counted"
    " apart, as paid at once where later orders depend on it.",
    "Whether a changed amount would have been approved: the bank's answer then is taken for it.",
    "Which promotion an order refused as a duplicate asked for, or whether its card had expired: it is counted without"
    " a promotion, so its total is the most that it can have been.",
    "Which code was typed where no promotion has it, and what people would have ordered otherwise.",
)


class BadPolicy(ValueError):
    """The policy cannot be read; the text says why."""


@dataclass(frozen=True)
class PromotionPolicy:
    """Other terms of a promotion. None leaves a term as it was."""

    off: bool = False
    percent_off: int | None = None  # 1..100
    amount_off_cents: int | None = None
    uses: int | None = None  # per user

    @classmethod
    def parse(cls, text: str) -> PromotionPolicy:
        """`percent:10`, `amount:500` (cents), `off`, `uses:2`, or several with commas. Raises BadPolicy."""
        found: dict[str, int | bool] = {}
        for part in text.split(","):
            word, _, number = part.partition(":")
            limits = {"percent": (1, 100), "amount": (1, 10**9), "uses": (1, 10**6)}.get(word)
            if word == "off" and not number:
                found["off"] = True
            elif limits and number.isascii() and number.isdigit() and limits[0] <= int(number[:12]) <= limits[1]:
                found[{"percent": "percent_off", "amount": "amount_off_cents", "uses": "uses"}[word]] = int(number)
            else:
                raise BadPolicy("a promotion's policy is percent:1..100, amount:CENTS, off or uses:NUMBER")
        if "percent_off" in found and "amount_off_cents" in found:
            raise BadPolicy("a promotion takes a percentage or an amount off, not both")
        return cls(**found)  # type: ignore[arg-type]


@dataclass(frozen=True)
class OtherPolicy:
    """What is other than it was, for orders requested from `since` on and before `until`."""

    duplicate_window_s: int | None = None
    promotions: Mapping[str, PromotionPolicy] = field(default_factory=dict)  # by code
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True)
class Verdict:
    """How an order begins: accepted at a total, or refused by a rule."""

    total_cents: int
    status: str | None = None  # of the refusal
    rule: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status is None


@dataclass
class Difference:
    """An order that would have ended differently."""

    order_id: UUID
    position: int
    requested_at: datetime
    was: Verdict
    would: Verdict
    was_kept_cents: int = 0  # of it, at the end of the log
    would_keep_cents: int | None = 0  # None: only the bank could say
    state: str = ""  # as it ended

    @property
    def kind(self) -> str:
        """refused-instead | accepted-instead | other-refusal | total-changes"""
        if self.was.accepted != self.would.accepted:
            return "refused-instead" if self.was.accepted else "accepted-instead"
        return "total-changes" if self.was.accepted else "other-refusal"

    @property
    def delta_cents(self) -> int | None:
        return None if self.would_keep_cents is None else self.would_keep_cents - self.was_kept_cents


@dataclass(frozen=True)
class Findings:
    """What another policy would have changed, over the whole span."""

    orders: int  # requested within the span
    differences: tuple[Difference, ...]
    charged_cents: int  # for all orders of the span, as it was
    position: int
    unknowable: tuple[str, ...] = UNKNOWABLE

    @property
    def delta_cents(self) -> int:
        """Of those whose ending is known."""
        return sum(difference.delta_cents or 0 for difference in self.differences)

    @property
    def undecided(self) -> tuple[Difference, ...]:
        """Those of which only the bank could say."""
        return tuple(difference for difference in self.differences if difference.delta_cents is None)

    @property
    def at_stake_cents(self) -> int:
        """What they would have been charged, at most."""
        return sum(difference.would.total_cents for difference in self.undecided)

"""What an explanation of an order consists of: values, for whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from application.ports.seals import Seal


@dataclass(frozen=True)
class Change:
    """One field of the order, or of a guard of it, that an event changed."""

    field: str  # a path, as `payment.state` or `lines[0].discount_cents`
    before: Any
    after: Any


@dataclass(frozen=True)
class Rule:
    """The rule that decided, and what it was given."""

    name: str  # a slug
    text: str  # the rule itself, for people
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class GatewaySaid:
    """The gateway's codes, and what each means to us. Its texts are never kept: they may echo what was sent."""

    response_code: str | None
    response: str | None  # approved | declined | error | held for review
    reason_code: str | None
    reason_status: str | None  # the status that our table of codes gives the reason code
    message_code: str | None
    message_status: str | None
    avs_result: str | None
    cvv_result: str | None
    found_by: str | None  # answer: to our charge; lookup: a later search by invoice number


@dataclass(frozen=True)
class Step:
    """One event of the order, of a guard of it, or of a notification about it."""

    position: int
    stream: str  # order | duplicate-window | promotion-redemption | notification
    stream_id: UUID
    version: int
    topic: str
    name: str
    recorded_at: datetime
    actor: str
    correlation_id: str
    causation_id: str | None
    sentence: str
    rule: Rule | None
    gateway: GatewaySaid | None
    changes: tuple[Change, ...]
    postings: tuple[Mapping[str, Any], ...] | None = None  # of the ledger; None where it was not asked
    seal: Seal | None = None  # None while no seal covers it


@dataclass(frozen=True)
class Explanation:
    order_id: UUID
    number: str
    client_id: int
    state: str | None
    steps: tuple[Step, ...]
    later_postings: tuple[Mapping[str, Any], ...] = ()  # for it, by events of other streams: settlement of its charge
    unavailable: tuple[str, ...] = ()  # postings, seals: what could not be read now

    def for_owner(self) -> Explanation:
        """What the client itself may see: no operators by name, none of their words, no other orders, no books."""
        shown = tuple(_for_owner(step) for step in self.steps if step.stream != "notification")
        return replace(self, steps=shown, later_postings=(), unavailable=())


_INTERNAL_INPUTS = frozenset({"reason", "held_by_order", "holder", "asked_by", "message", "action"})


def _for_owner(step: Step) -> Step:
    kind, _, _ = step.actor.partition(":")
    internal = kind in ("operator", "system")
    rule = step.rule
    if rule is not None:
        shown = {name: value for name, value in rule.inputs.items() if name not in _INTERNAL_INPUTS}
        rule = replace(rule, inputs=shown)
    changes = tuple(change for change in step.changes if not change.field.startswith("promotion_redemption."))
    return replace(
        step,
        actor=kind if internal else step.actor,
        correlation_id="" if internal else step.correlation_id,
        causation_id=None,
        rule=rule,
        changes=changes,
        postings=None,
    )

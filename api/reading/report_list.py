"""The reports: what each answers, what it can be asked with, and where a page of it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from api.read_models import CONVERSION, DIRECTORY_CHANGES, EMAIL_DELIVERIES, LEDGER, PAYMENTS, PROMOTIONS, REVENUE
from domain.payment import PaymentState
from projections.conversion import conversion_by_day, conversion_totals
from projections.directory_changes import find_directory_changes
from projections.email_deliveries import STATUSES, find_email_deliveries
from projections.ledger.reports import TIMES, find_balances, find_booked, sums_of_balances
from projections.model import ReadModel, Row
from projections.payments import find_payments
from projections.promotions import find_promotions
from projections.revenue import DESIGNATION, PROMOTION, SERVICE, revenue_by, revenue_by_day

Find = Callable[..., list[Row]]
"""Called with connection, span, page and the report's own filters by name."""

STATES = tuple(state.value for state in PaymentState)


@dataclass(frozen=True)
class Report:
    """One report. `cursor`: the columns that place a row, each with what reads it from text."""

    slug: str
    summary: str
    span: str  # what `from` and `to` are held against
    model: ReadModel
    find: Find
    cursor: Mapping[str, Callable[[str], Any]]
    columns: Mapping[str, str]  # name → meaning
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # filters, with their values; none: any text
    totals: Callable[..., dict[str, Any]] | None = None  # called with connection, span and the filters


_AMOUNTS = {
    "charges": "Orders charged.",
    "charged_cents": "What they were charged, in cents.",
    "returns": "Orders whose charge was voided or refunded.",
    "returned_cents": "What was given back, in cents.",
    "net_cents": "Charged less returned, in cents.",
}
_DAY = "A day, UTC."
_TERMS = {
    "code": "The code that people type.",
    "percent_off": "Percent off each line, or null.",
    "amount_off_cents": "Cents off the order, or null.",
    "designation": "The kind of user that it is meant for; null: everybody.",
    "starts_at": "First instant at which it holds; null: from the beginning.",
    "ends_at": "First instant at which it no longer holds; null: open.",
}


def _revenue_by(dimension: str, of: str) -> Report:
    return Report(
        f"revenue-by-{dimension}",
        f"Revenue by {of}, over all days of the span",
        "the day (UTC) on which an amount was charged or returned",
        REVENUE,
        lambda connection, span, page: revenue_by(connection, dimension, span, page),
        {dimension: str},
        {dimension: f"{of.capitalize()}; empty where there was none.", **_AMOUNTS},
    )


REPORTS: tuple[Report, ...] = (
    Report(
        "revenue-by-day",
        "Revenue by day, newest first",
        "the day (UTC) on which an amount was charged or returned",
        REVENUE,
        revenue_by_day,
        {"day": date.fromisoformat},
        {"day": _DAY, **_AMOUNTS},
    ),
    _revenue_by(SERVICE, "service"),
    _revenue_by(PROMOTION, "promotion code"),
    _revenue_by(DESIGNATION, "designation of the user who asked"),
    Report(
        "conversion",
        "Conversion by day of the request, newest first: requested → charged → submitted, and why the others ended",
        "the day (UTC) of the request",
        CONVERSION,
        conversion_by_day,
        {"day": date.fromisoformat},
        {
            "day": _DAY,
            "requested": "Orders requested on that day; the other columns say what became of these, whenever it did.",
            "charged": "Charged.",
            "waived": "Nothing had to be paid.",
            "submitted": "Submitted.",
            "refused": "Refused by a rule; nothing was sent to the gateway.",
            "declined": "Declined by the bank, or the card cannot be used.",
            "failed": "A gateway error that was a definite no.",
            "not_sent": "The charge never left us.",
            "expired": "Never found at the gateway.",
        },
        totals=conversion_totals,
    ),
    Report(
        "promotions",
        "Promotions by code: their present terms, and their use and cost in the span",
        "the day (UTC) on which a promotion was reserved, used, released, refused or taken back",
        PROMOTIONS,
        find_promotions,
        {"code": str, "promotion_id": UUID},
        {
            "promotion_id": "Id.",
            **_TERMS,
            "active": "Whether it can be used now, within its dates.",
            "version": "Of its terms.",
            "reserved": "Orders that took it.",
            "redeemed": "Orders submitted with it.",
            "released": "Orders that ended without a charge and gave it back.",
            "refused": "Orders refused because of it.",
            "taken_back": "Orders submitted with it whose charge was voided or refunded.",
            "discount_cents": "What it cost: discounts of submitted orders, less those taken back, in cents.",
            "revenue_cents": "What those orders paid, less those taken back, in cents.",
        },
    ),
    Report(
        "payments",
        "Payments, newest first, with what was taken back",
        "the time of the attempt",
        PAYMENTS,
        find_payments,
        {"position": int},
        {
            "order_id": "The order.",
            "position": "Position of the attempt in the log.",
            "client_id": "The client.",
            "state": ", ".join(STATES),
            "reason": "Why it stands as it does.",
            "amount_cents": "In cents.",
            "invoice_number": "Names the attempt at the gateway.",
            "transaction_id": "The gateway's id.",
            "authorization_code": "The bank's code.",
            "brand": "Of the card.",
            "last4": "The last four digits of the card.",
            "response_code": "The gateway's response code.",
            "reason_code": "The gateway's reason code.",
            "attempted_at": "When.",
            "changed_at": "When it came to its state.",
            "corrections": "Charges of the order that were to be taken back, also unexpected ones.",
        },
        {"state": STATES},
    ),
    Report(
        "email-deliveries",
        "Confirmation emails by order and recipient, newest first",
        "the time of the first try",
        EMAIL_DELIVERIES,
        find_email_deliveries,
        {"position": int, "email_id": str},
        {
            "order_id": "The order.",
            "email_id": "Names the message to one recipient; a keyed digest, no address.",
            "position": "Position of the first try in the log.",
            "status": "Of the last try: " + ", ".join(STATUSES),
            "reason": "Why it was not sent.",
            "message_id": "The mail provider's id.",
            "tries": "Tries whose end is known.",
            "first_at": "When it was tried first.",
            "changed_at": "When it came to its status.",
        },
        {"status": STATUSES},
    ),
    Report(
        "directory-changes",
        "Changes of promotion terms, newest first",
        "the time of the change",
        DIRECTORY_CHANGES,
        find_directory_changes,
        {"position": int},
        {
            "promotion_id": "The promotion.",
            "version": "Of its terms.",
            "position": "Position in the log.",
            "change": "created, changed or deactivated.",
            **_TERMS,
            "actor": "Who brought it.",
            "recorded_at": "When.",
        },
        {"promotion_code": ()},
    ),
    Report(
        "ledger",
        "Postings of the double-entry ledger, newest first, each with the event and the rule that it comes from",
        "the time at which the event was recorded",
        LEDGER,
        find_booked,
        {"position": int, "line": int},
        {
            "position": "Of the event in the log; postings with the same one are one entry, and sum to zero.",
            "line": "Of the entry.",
            "account": "The account.",
            "debit_cents": "In cents; 0 for a credit.",
            "credit_cents": "In cents; 0 for a debit.",
            "item": "The transaction, or in the bank account the batch, that the amount belongs to; or null.",
            "rule": "The rule that booked it.",
            "rule_version": "Of the rule.",
            "topic": "What happened.",
            "stream_id": "The order, orphan charge or batch that it happened to.",
            "recorded_at": "When it was recorded.",
            "effective_at": "When it happened.",
            "period": "The month that it is booked in.",
        },
        {"account": (), "order_id": ()},
    ),
    Report(
        "trial-balance",
        "Trial balance: every account with its sums over the span; without `from`, what it stood at before `to`",
        "the time at which an event was recorded, or with `time=effective` at which it happened",
        LEDGER,
        find_balances,
        {"account": str},
        {
            "account": "The account; its first part says what kind it is.",
            "debit_cents": "Sum of its debits, in cents.",
            "credit_cents": "Sum of its credits, in cents.",
            "balance_cents": "Debits less credits, in cents; over all accounts this is zero.",
        },
        {"time": TIMES},
        totals=sums_of_balances,
    ),
)

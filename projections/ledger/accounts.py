"""The chart of accounts. An account is a path of names, its kind first, as plain-text accounting tools write it.

Amounts are signed cents: a debit is positive, a credit negative. Contra accounts (discounts, refunds) stand below
revenue, so that its subtotal is net revenue.
"""

from __future__ import annotations

from enum import StrEnum

RECEIVABLE = "assets:receivable"  # submitted and not charged; within one save it returns to zero
CLEARING = "assets:gateway-clearing"  # charged at the gateway and not settled yet
BANK_IN_TRANSIT = "assets:bank-in-transit"  # settled by the gateway, on its way to the bank
UNEXPECTED_CHARGES = "liabilities:suspense:unexpected-charges"  # kept for an order that had ended; to be given back
ORPHAN_CHARGES = "liabilities:suspense:orphan-charges"  # kept for no order of ours; to be given back
REFUNDS = "revenue:refunds"
FEES = "expenses:fees"  # no event reports fees yet
CHARGEBACKS = "expenses:chargebacks"  # taken back by the cardholder's bank
RETURNED_PAYMENTS = "expenses:returned-payments"  # returned unpaid by the payer's bank

_SERVICES, _DISCOUNTS = "revenue:services:", "revenue:discounts:"

CHART = {
    RECEIVABLE: "Due from clients: submitted orders that are not charged",
    CLEARING: "Charged at the payment gateway and not settled yet",
    BANK_IN_TRANSIT: "Settled by the gateway, on its way to the bank",
    UNEXPECTED_CHARGES: "Charges kept for orders that had ended; to be given back",
    ORPHAN_CHARGES: "Charges at the gateway that no order names; to be given back",
    REFUNDS: "Given back to clients after settlement",
    FEES: "Fees of the gateway and the bank",
    CHARGEBACKS: "Taken back by the cardholders' banks",
    RETURNED_PAYMENTS: "Returned unpaid by the payers' banks",
}


class Kind(StrEnum):
    """What an account is; assets and expenses grow on the debit side, the others on the credit side."""

    ASSETS = "assets"
    LIABILITIES = "liabilities"
    REVENUE = "revenue"
    EXPENSES = "expenses"


def revenue_of(slug: str) -> str:
    """Gross revenue of a service."""
    return f"{_SERVICES}{slug}"


def discounts_of(code: str) -> str:
    """What a promotion took off, by its code."""
    return f"{_DISCOUNTS}{code}"


def kind_of(account: str) -> Kind:
    return Kind(account.partition(":")[0])


def meaning_of(account: str) -> str:
    """One line for people."""
    if account.startswith(_SERVICES):
        return "Revenue of a service, before discounts"
    if account.startswith(_DISCOUNTS):
        return "What a promotion took off"
    return CHART[account]

"""What the adapter relies on, as facts about a gateway: the vendor's test system must show them, and so must ours.

Each fact takes a gateway and a stored card that the gateway accepts. Run `FACTS` against any of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from application.adapters.authorizenet import AuthorizeNetConfig, AuthorizeNetGateway
from application.ports import (
    Accepted,
    Approved,
    ChargeRequest,
    Declined,
    DuplicateAtGateway,
    GatewayFailed,
    Rejected,
    TransactionState,
)


@dataclass(frozen=True)
class StoredCard:
    customer_profile_id: str
    payment_profile_id: str


@dataclass(frozen=True)
class Vendor:
    """One gateway to state facts about."""

    config: AuthorizeNetConfig
    card: StoredCard
    gateway: AuthorizeNetGateway


Fact = Callable[[Vendor], Awaitable[None]]


def charge_of(card: StoredCard) -> ChargeRequest:
    """A charge that nobody has made before: its own invoice, an odd amount between $10 and $60."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    invoice = "".join(secrets.choice(alphabet) for _ in range(20))
    amount_cents = 1000 + secrets.randbelow(5000)
    return ChargeRequest(invoice, amount_cents, card.customer_profile_id, card.payment_profile_id, "Contract test")


async def approved(vendor: Vendor, charge: ChargeRequest) -> str:
    outcome = await vendor.gateway.charge(charge)
    assert isinstance(outcome, Approved), outcome
    return outcome.transaction_id


async def the_keys_are_accepted(vendor: Vendor) -> None:
    assert await vendor.gateway.check_keys()


async def wrong_keys_are_told_as_wrong_keys(vendor: Vendor) -> None:
    gateway = AuthorizeNetGateway(replace(vendor.config, transaction_key="wrongwrongwrong1"))
    try:
        assert not await gateway.check_keys()
        outcome = await gateway.charge(charge_of(vendor.card))
    finally:
        await gateway.close()
    assert isinstance(outcome, GatewayFailed)
    assert outcome.status == "invalid-payment-processor-api-keys"


async def a_charge_of_a_stored_card_is_approved_and_its_details_agree(vendor: Vendor) -> None:
    charge = charge_of(vendor.card)
    transaction_id = await approved(vendor, charge)
    details = await vendor.gateway.details(transaction_id)
    assert details is not None
    assert details.state is TransactionState.CAPTURED
    assert (details.invoice_number, details.amount_cents) == (charge.invoice_number, charge.amount_cents)
    assert details.transaction_type == "authCaptureTransaction"
    assert details.customer_profile_id in {None, charge.customer_profile_id}
    assert details.last4 is not None


async def a_charge_is_found_by_its_invoice_with_and_without_the_customer(vendor: Vendor) -> None:
    charge = charge_of(vendor.card)
    transaction_id = await approved(vendor, charge)
    since = datetime.now(UTC) - timedelta(hours=1)
    for customer in (charge.customer_profile_id, None):
        found = await vendor.gateway.find_by_invoice(charge.invoice_number, customer_profile_id=customer, since=since)
        assert [(row.transaction_id, row.amount_cents) for row in found] == [(transaction_id, charge.amount_cents)]


async def an_invoice_that_was_never_charged_is_not_found(vendor: Vendor) -> None:
    charge = charge_of(vendor.card)
    since = datetime.now(UTC) - timedelta(days=1)
    found = await vendor.gateway.find_by_invoice(
        charge.invoice_number, customer_profile_id=charge.customer_profile_id, since=since
    )
    assert found == []


async def the_same_charge_again_is_a_duplicate(vendor: Vendor) -> None:
    charge = charge_of(vendor.card)
    transaction_id = await approved(vendor, charge)
    again = await vendor.gateway.charge(charge)
    assert isinstance(again, DuplicateAtGateway)
    assert again.transaction_id in {None, transaction_id}


async def a_stored_card_that_does_not_exist_is_an_unusable_card(vendor: Vendor) -> None:
    outcome = await vendor.gateway.charge(charge_of(replace(vendor.card, payment_profile_id="1")))
    assert isinstance(outcome, Declined)
    assert outcome.status == "failed-payment"


async def a_void_shows_in_the_details_and_may_come_twice(vendor: Vendor) -> None:
    transaction_id = await approved(vendor, charge_of(vendor.card))
    assert isinstance(await vendor.gateway.void(transaction_id), Accepted)
    details = await vendor.gateway.details(transaction_id)
    assert details is not None
    assert details.state is TransactionState.VOIDED
    assert isinstance(await vendor.gateway.void(transaction_id), Accepted)


async def what_is_not_settled_cannot_be_refunded(vendor: Vendor) -> None:
    charge = charge_of(vendor.card)
    transaction_id = await approved(vendor, charge)
    details = await vendor.gateway.details(transaction_id)
    assert details is not None
    assert details.last4 is not None
    refund = await vendor.gateway.refund(
        transaction_id, charge.amount_cents, details.last4, charge_of(vendor.card).invoice_number
    )
    assert isinstance(refund, Rejected)


async def a_transaction_that_does_not_exist_has_no_details_and_cannot_be_voided(vendor: Vendor) -> None:
    assert await vendor.gateway.details("1") is None
    assert isinstance(await vendor.gateway.void("1"), Rejected)


async def lists_of_all_kinds_can_be_read(vendor: Vendor) -> None:
    transaction_id = await approved(vendor, charge_of(vendor.card))
    assert transaction_id in {row.transaction_id for row in await vendor.gateway.unsettled()}
    now = datetime.now(UTC)
    settled = await vendor.gateway.settled_batches(now - timedelta(days=40), now)
    if settled:
        assert isinstance(await vendor.gateway.batch_transactions(settled[-1].batch_id), list)


FACTS: tuple[Fact, ...] = (
    the_keys_are_accepted,
    wrong_keys_are_told_as_wrong_keys,
    a_charge_of_a_stored_card_is_approved_and_its_details_agree,
    a_charge_is_found_by_its_invoice_with_and_without_the_customer,
    an_invoice_that_was_never_charged_is_not_found,
    the_same_charge_again_is_a_duplicate,
    a_stored_card_that_does_not_exist_is_an_unusable_card,
    a_void_shows_in_the_details_and_may_come_twice,
    what_is_not_settled_cannot_be_refunded,
    a_transaction_that_does_not_exist_has_no_details_and_cannot_be_voided,
    lists_of_all_kinds_can_be_read,
)

"""The bytes of every request, written by the SDK's contracts, never by its controllers.

The contracts know the schema, which Authorize.net enforces strictly and in order. Building one costs a few
milliseconds of CPU; `charge_template` has the fast way for charges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from authorizenet import apicontractsv1 as sdk
from pyxb.utils.domutils import BindingDOMSupport

from application.ports import ChargeRequest

PAGE_LIMIT = 1000  # the most rows the gateway gives at once
DUPLICATE_WINDOW_S = "28800"  # 8 hours, the longest it offers: the gateway's own fence against a second charge


class Requests:
    """Builds requests that carry our keys. Values that the schema refuses raise ValueError or pyxb.PyXBException."""

    def __init__(self, login_id: str, transaction_key: str) -> None:
        self._login_id = login_id
        self._transaction_key = transaction_key

    def charge(self, request: ChargeRequest) -> bytes:
        """Authorise and capture a stored card, all of the amount or nothing."""
        transaction = sdk.transactionRequestType(
            transactionType="authCaptureTransaction",
            amount=_amount(request.amount_cents),
            profile=sdk.customerProfilePaymentType(
                customerProfileId=request.customer_profile_id,
                paymentProfile=sdk.paymentProfile(paymentProfileId=request.payment_profile_id),
            ),
            order=sdk.orderType(invoiceNumber=request.invoice_number, description=request.description),
            transactionSettings=_settings({"duplicateWindow": DUPLICATE_WINDOW_S, "allowPartialAuth": "false"}),
        )
        return self._transaction(request.invoice_number, transaction)

    def void(self, transaction_id: str) -> bytes:
        transaction = sdk.transactionRequestType(transactionType="voidTransaction", refTransId=_id(transaction_id))
        return self._transaction(transaction_id, transaction)

    def refund(self, transaction_id: str, amount_cents: int, last4: str, invoice_number: str) -> bytes:
        """A refund names the card by its last four digits; the gateway asks for no expiry then, hence XXXX."""
        card = sdk.creditCardType(cardNumber=last4, expirationDate="XXXX")
        transaction = sdk.transactionRequestType(
            transactionType="refundTransaction",
            amount=_amount(amount_cents),
            payment=sdk.paymentType(creditCard=card),
            refTransId=_id(transaction_id),
            order=sdk.orderType(invoiceNumber=invoice_number),
            transactionSettings=_settings({"duplicateWindow": DUPLICATE_WINDOW_S}),
        )
        return self._transaction(invoice_number, transaction)

    def decline_held(self, transaction_id: str) -> bytes:
        decision = sdk.heldTransactionRequestType(action="decline", refTransId=_id(transaction_id))
        return self._bytes(sdk.updateHeldTransactionRequest(refId=transaction_id, heldTransactionRequest=decision))

    def details(self, transaction_id: str) -> bytes:
        return self._bytes(sdk.getTransactionDetailsRequest(transId=transaction_id))

    def unsettled(self, page: int) -> bytes:
        return self._bytes(sdk.getUnsettledTransactionListRequest(**_newest_first(page)))

    def pending_approval(self, page: int) -> bytes:
        """The transactions that wait for a review; the plain unsettled list does not promise to hold them."""
        return self._bytes(sdk.getUnsettledTransactionListRequest(status="pendingApproval", **_newest_first(page)))

    def of_customer(self, customer_profile_id: str, page: int) -> bytes:
        return self._bytes(
            sdk.getTransactionListForCustomerRequest(customerProfileId=customer_profile_id, **_newest_first(page))
        )

    def batches(self, first: datetime, last: datetime, *, statistics: bool = False) -> bytes:
        """Batches settled in the range, ends included; UTC, whole seconds. The gateway refuses more than 31 days."""
        wanted = {"includeStatistics": True} if statistics else {}
        return self._bytes(sdk.getSettledBatchListRequest(**wanted, firstSettlementDate=first, lastSettlementDate=last))

    def of_batch(self, batch_id: str, page: int) -> bytes:
        return self._bytes(sdk.getTransactionListRequest(batchId=batch_id, **_newest_first(page)))

    def of_batch_by_id(self, batch_id: str, page: int, limit: int) -> bytes:
        """A batch that does not change any more, in an order without ties, so that its pages fit together."""
        return self._bytes(
            sdk.getTransactionListRequest(
                batchId=batch_id,
                sorting=sdk.TransactionListSorting(orderBy="id", orderDescending=False),
                paging=sdk.Paging(limit=limit, offset=page),
            )
        )

    def check_keys(self) -> bytes:
        return self._bytes(sdk.authenticateTestRequest())

    def _transaction(self, ref_id: str, transaction: Any) -> bytes:
        return self._bytes(sdk.createTransactionRequest(refId=ref_id, transactionRequest=transaction))

    def _bytes(self, request: Any) -> bytes:
        request.merchantAuthentication = sdk.merchantAuthenticationType(
            name=self._login_id, transactionKey=self._transaction_key
        )
        written: bytes = request.toxml(encoding="utf-8", bds=BindingDOMSupport(default_namespace=sdk.Namespace))
        return written


def _id(transaction_id: str) -> str:
    """The schema lets any text pass where a transaction is referred to."""
    if not re.fullmatch("[0-9]{1,20}", transaction_id):
        raise ValueError("a transaction id is digits")
    return transaction_id


def _amount(cents: int) -> Decimal:
    if cents <= 0:
        raise ValueError("an amount must be positive")
    return Decimal(cents) / 100


def _settings(settings: Mapping[str, str]) -> Any:
    return sdk.ArrayOfSetting(
        setting=[sdk.settingType(settingName=name, settingValue=value) for name, value in settings.items()]
    )


def _newest_first(page: int) -> dict[str, Any]:
    """Sorting and paging. `offset` counts pages from 1. Taken for a row number it would only make us read rows twice
    and give up at the cap; the other way round we would skip rows and never know."""
    return {
        "sorting": sdk.TransactionListSorting(orderBy="submitTimeUTC", orderDescending=True),
        "paging": sdk.Paging(limit=PAGE_LIMIT, offset=page),
    }

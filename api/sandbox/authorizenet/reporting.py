"""The transaction details API: lists and details. Reads only.

A transaction is unsettled until a batch takes it, declined and voided ones too, as at the gateway. Our choice, since
the documentation leaves it open: without a status, or with `any`, getUnsettledTransactionList gives those that are NOT
held for review; `pendingApproval` gives the held ones and only them. Whoever wants all must ask for both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from api.sandbox.authorizenet.answers import CARD_TYPE, MASKED_NUMBER
from api.sandbox.authorizenet.codes import FRAUD_FILTERS, REASONS
from api.sandbox.authorizenet.decoding import Element
from api.sandbox.authorizenet.encoding import Answer, Money, Value
from api.sandbox.authorizenet.ledger import Batch, Ledger, Transaction

MAX_PAGE = 1000
MAX_RANGE = timedelta(days=31)
# The elements of a batch's statistics, in the order of the contract: the counts follow the refunds.
_SUMMED = (
    ("charge", "settledSuccessfully"),
    ("refund", "refundSettledSuccessfully"),
    ("returnedItem", "returnedItem"),
    ("chargeback", "chargeback"),
)
_COUNTED = (("void", "voided"), ("decline", "declined"), ("error", "generalError"))
FRAUD_FILTER_NAME = "Sandbox Filter"


def unsettled(ledger: Ledger, request: Element) -> Answer:
    held = request.text("status") == "pendingApproval"
    rows = [t for t in ledger if t.batch_id is None and t.held == held]
    return _list("getUnsettledTransactionListResponse", rows, request)


def for_customer(ledger: Ledger, request: Element) -> Answer:
    """Every transaction of the customer profile: settled, unsettled and held."""
    customer, payment = request.text("customerProfileId"), request.text("customerPaymentProfileId")
    rows = [t for t in ledger if t.customer_profile_id == customer and payment in (None, t.payment_profile_id)]
    return _list("getTransactionListResponse", rows, request)


def of_batch(ledger: Ledger, request: Element) -> Answer:
    batch = ledger.batches.get(request.text("batchId") or "")
    if batch is None:
        return Answer("getTransactionListResponse", "E00040")
    return _list("getTransactionListResponse", batch.transactions, request)


def batches(ledger: Ledger, request: Element) -> Answer:
    """Batches settled between the two dates (at most 31 days apart), else within the last 24 hours."""
    root, now = "getSettledBatchListResponse", ledger.now()
    first = _time(request.text("firstSettlementDate")) or now - timedelta(days=1)
    last = _time(request.text("lastSettlementDate")) or now
    if not timedelta() <= last - first <= MAX_RANGE:
        return Answer(root, "E00013", text="The settlement date range is invalid.")
    summed = request.text("includeStatistics") in ("true", "1")
    closed = [batch for batch in ledger.batches.values() if first <= batch.settled_at <= last]
    found = [_batch(batch) | (_statistics(batch) if summed else {}) for batch in closed]
    return Answer(root, body={"batchList": found}) if found else Answer(root, "I00004")


def details(ledger: Ledger, request: Element) -> Answer:
    root = "getTransactionDetailsResponse"
    transaction = ledger.find(request.text("transId"))
    if transaction is None:
        return Answer(root, "E00040")
    body: dict[str, Value] = {"transaction": _details(ledger, transaction)}
    if transaction.ref_id is not None:
        body["transrefId"] = transaction.ref_id
    return Answer(root, body=body)


def _list(root: str, rows: Iterable[Transaction], request: Element) -> Answer:
    """One page, sorted. Without sorting the newest come first; `offset` counts pages from 1.

    totalNumInResultSet counts the rows of all pages.
    """
    descending = request.text("sorting", "orderDescending") in (None, "true", "1")
    by_time = request.text("sorting", "orderBy") == "submitTimeUTC"
    fields = ("submitted_at", "id") if by_time else ("id",)  # ids have one length, so their text order is their order
    ordered = sorted(rows, key=attrgetter(*fields), reverse=descending)
    limit, page = int(request.text("paging", "limit") or MAX_PAGE), int(request.text("paging", "offset") or 1)
    shown = ordered[(page - 1) * limit : page * limit]
    body: dict[str, Value] = {"totalNumInResultSet": len(ordered)}
    if not shown:
        return Answer(root, "I00004", body)
    return Answer(root, body={"transactions": [_row(t) for t in shown], **body})


def _row(transaction: Transaction) -> dict[str, Value]:
    row: dict[str, Value] = {
        "transId": transaction.id,
        **_times(transaction),
        "transactionStatus": transaction.status,
    }
    if transaction.invoice_number is not None:
        row["invoiceNumber"] = transaction.invoice_number
    row |= {
        "accountType": CARD_TYPE,
        "accountNumber": MASKED_NUMBER,
        "settleAmount": Money(transaction.settle_cents),
        "marketType": "eCommerce",
        "product": "Card Not Present",
    }
    if transaction.held:
        filters = [FRAUD_FILTER_NAME]
        row["fraudInformation"] = {"fraudFilterList": filters, "fraudAction": FRAUD_FILTERS[transaction.status]}
    return row | _profile(transaction)


def _details(ledger: Ledger, transaction: Transaction) -> dict[str, Value]:
    found: dict[str, Value] = {"transId": transaction.id}
    if transaction.ref_trans_id is not None:
        found["refTransId"] = transaction.ref_trans_id
    found |= {
        **_times(transaction),
        "transactionType": transaction.type,
        "transactionStatus": transaction.status,
        "responseCode": transaction.response_code,
        "responseReasonCode": transaction.reason_code,
        "responseReasonDescription": REASONS[transaction.reason_code],
        "authCode": transaction.auth_code,
        "AVSResponse": "Y",
    }
    if transaction.held_as is not None:
        action = FRAUD_FILTERS[transaction.held_as]
        found |= {"FDSFilterAction": action, "FDSFilters": [{"name": FRAUD_FILTER_NAME, "action": action}]}
    if transaction.batch_id is not None:
        found["batch"] = _batch(ledger.batches[transaction.batch_id])
    order = {"invoiceNumber": transaction.invoice_number, "description": transaction.description}
    given = {name: text for name, text in order.items() if text is not None}
    if given:
        found["order"] = given
    if transaction.requested_cents is not None:
        found["requestedAmount"] = Money(transaction.requested_cents)
    card = {"cardNumber": MASKED_NUMBER, "expirationDate": "XXXX", "cardType": CARD_TYPE}
    found |= {
        "authAmount": Money(transaction.amount_cents),
        "settleAmount": Money(transaction.settle_cents),
        "taxExempt": False,
        "payment": {"creditCard": card},
        "recurringBilling": False,
        "product": "Card Not Present",
        "marketType": "eCommerce",
    }
    return found | _profile(transaction)


def _times(transaction: Transaction) -> dict[str, Value]:
    """The sandbox's merchant lives in UTC, so that both times are the same moment."""
    local = transaction.submitted_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return {"submitTimeUTC": f"{local}Z", "submitTimeLocal": local}


def _profile(transaction: Transaction) -> dict[str, Value]:
    ids = (transaction.customer_profile_id, transaction.payment_profile_id)
    if None in ids:
        return {}
    return {"profile": {"customerProfileId": ids[0] or "", "customerPaymentProfileId": ids[1] or ""}}


def _batch(batch: Batch) -> dict[str, Value]:
    local = batch.settled_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return {
        "batchId": batch.id,
        "settlementTimeUTC": f"{local}Z",
        "settlementTimeLocal": local,
        "settlementState": "settledSuccessfully",
        "paymentMethod": "creditCard",
        "marketType": "eCommerce",
        "product": "Card Not Present",
    }


def _statistics(batch: Batch) -> dict[str, Value]:
    """Counts and sums of a batch by kind of card; there is one kind here. An amount comes with its count only."""
    by_status: defaultdict[str, list[int]] = defaultdict(list)
    for transaction in batch.transactions:
        by_status[transaction.status].append(transaction.settle_cents)
    sums: dict[str, Value] = {"accountType": CARD_TYPE}
    for name, status in _SUMMED:
        sums |= {f"{name}Amount": Money(sum(by_status[status])), f"{name}Count": len(by_status[status])}
        if name == "refund":
            sums |= {f"{counted}Count": len(by_status[status]) for counted, status in _COUNTED}
    return {"statistics": [sums]}


def _time(text: str | None) -> datetime | None:
    """An xs:dateTime; without an offset it is UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""One request to the gateway: keys, then faults, then the operation. No pause between them: requests never mix."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace

from api.sandbox.authorizenet import corrections, reporting
from api.sandbox.authorizenet.charging import Charge, charge, read_charge
from api.sandbox.authorizenet.config import GatewayConfig
from api.sandbox.authorizenet.decoding import Element
from api.sandbox.authorizenet.encoding import Answer, Value, error_response
from api.sandbox.authorizenet.faults import ANY_TRANSACTION, CHARGE, TRANSACTION_TYPES, Faults
from api.sandbox.authorizenet.ledger import Ledger, LedgerFull, Transaction
from api.sandbox.authorizenet.profiles import OUTCOMES, Delivery, Outcome, outcome_of
from api.sandbox.authorizenet.webhooks import Webhooks

NOT_FOUND_TEXT = "Customer Profile ID or Customer Payment Profile ID not found."
_LOOKUPS: dict[str, Callable[[Ledger, Element], Answer]] = {
    "getTransactionDetailsRequest": reporting.details,
    "getTransactionListForCustomerRequest": reporting.for_customer,
    "getUnsettledTransactionListRequest": reporting.unsettled,
    "getSettledBatchListRequest": reporting.batches,
    "getTransactionListRequest": reporting.of_batch,
}
_REVIEWED = {"approve": "fraud.approved", "decline": "fraud.declined"}


@dataclass(frozen=True)
class Reply:
    """What the caller gets, and what is done after it has gone."""

    answer: Answer
    delivery: Delivery = Delivery.ANSWER
    later: Callable[[], object] | None = None


class Gateway:
    def __init__(self, config: GatewayConfig, webhooks: Webhooks) -> None:
        self._config = config
        self._webhooks = webhooks
        self.ledger = Ledger(config)
        self.faults = Faults(config.delay_ms)

    def handle(self, request: Element) -> Reply:
        """Answer one valid request. Counted under its transaction type, else under the name of its operation."""
        operation = _operation(request)
        self.ledger.calls[operation] += 1
        ref_id = request.text("refId")
        if not self._authentic(request):
            return Reply(replace(error_response("E00007"), ref_id=ref_id))
        forced = self.faults.take(operation)
        if operation == CHARGE:
            return self._charge(request, ref_id, forced)
        outcome = forced or OUTCOMES["approved"]
        return self._reply(outcome, lambda: replace(self._perform(operation, request, ref_id), ref_id=ref_id))

    def review(self, transaction_id: str, action: str, ref_id: str | None = None) -> Answer:
        """Approve or decline a held transaction."""
        answer = corrections.review(self.ledger, transaction_id, action, ref_id)
        transaction = self.ledger.find(transaction_id)
        if answer.code == "I00001" and transaction is not None:
            self._webhooks.publish(_REVIEWED[action], transaction)
        return answer

    def _authentic(self, request: Element) -> bool:
        given = [request.text("merchantAuthentication", name) or "" for name in ("name", "transactionKey")]
        wanted = [self._config.login_id, self._config.transaction_key]
        return all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(given, wanted, strict=True))

    def _charge(self, request: Element, ref_id: str | None, forced: Outcome | None) -> Reply:
        element = request.child("transactionRequest")
        assert element is not None
        wanted = read_charge(element, ref_id)
        if isinstance(wanted, Answer):
            return Reply(wanted)
        outcome = forced or outcome_of(wanted.payment_profile_id)
        if outcome.message == "E00040":
            body: dict[str, Value] = {"transactionResponse": {"SupplementalDataQualificationIndicator": 0}}
            return Reply(Answer("createTransactionResponse", "E00040", body, ref_id, NOT_FOUND_TEXT))
        return self._reply(outcome, lambda: self._carry_out(wanted, outcome))

    def _carry_out(self, wanted: Charge, outcome: Outcome) -> Answer:
        answer, transaction = charge(self.ledger, wanted, outcome)
        if transaction is not None and transaction.response_code != 2:
            self._webhooks.publish("fraud.held" if transaction.held else "authcapture.created", transaction)
        return answer

    def _reply(self, outcome: Outcome, perform: Callable[[], Answer]) -> Reply:
        """Do it now, later or not at all, as the outcome says."""
        nothing = error_response(outcome.message or "E00001")
        if outcome.delivery is Delivery.DROP_THEN_PERFORM:
            return Reply(nothing, Delivery.DROP, later=perform if outcome.performed else None)
        try:
            answer = perform() if outcome.performed else nothing
        except LedgerFull:
            return Reply(error_response("E00104"))
        return Reply(nothing if outcome.message else answer, outcome.delivery)

    def _perform(self, operation: str, request: Element, ref_id: str | None) -> Answer:
        if operation in _LOOKUPS:
            return _LOOKUPS[operation](self.ledger, request)
        if operation == "authenticateTestRequest":
            return Answer("authenticateTestResponse")
        if operation == "getMerchantDetailsRequest":
            return Answer("getMerchantDetailsResponse", body=_MERCHANT)
        if operation == "updateHeldTransactionRequest":
            wanted, action = (request.text("heldTransactionRequest", name) for name in ("refTransId", "action"))
            return self.review(wanted or "", action or "", ref_id)
        if operation == ANY_TRANSACTION:
            return error_response("E00013", "transactionType is invalid, or not one that the sandbox knows.")
        return self._correct(operation, request, ref_id)

    def _correct(self, operation: str, request: Element, ref_id: str | None) -> Answer:
        element = request.child("transactionRequest")
        assert element is not None
        made: Transaction | None
        if operation == "voidTransaction":
            (answer, made), event = corrections.void(self.ledger, element, ref_id), "void.created"
        else:
            (answer, made), event = corrections.refund(self.ledger, element, ref_id), "refund.created"
        if made is not None:
            self._webhooks.publish(event, made)
        return answer


def _operation(request: Element) -> str:
    """The transaction type where there is one that the sandbox knows, else the name of the request."""
    kind = request.text("transactionRequest", "transactionType")
    return kind if kind in TRANSACTION_TYPES else request.name


_MERCHANT: dict[str, Value] = {
    "isTestMode": False,
    "processors": [{"name": "Sandbox Processor", "id": 1}],
    "merchantName": "Sandbox Merchant",
    "gatewayId": "100001",
    "marketTypes": ["eCommerce"],
    "productCodes": ["CNP"],
    "paymentMethods": ["Visa"],
    "currencies": ["USD"],
}

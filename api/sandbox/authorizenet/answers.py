"""The transactionResponse that ends a charge, a void, a refund or a review."""

from __future__ import annotations

from collections.abc import Mapping

from api.sandbox.authorizenet.codes import REASONS
from api.sandbox.authorizenet.encoding import Answer, Value
from api.sandbox.authorizenet.ledger import Transaction

MASKED_NUMBER = "XXXX1111"
LAST4 = "1111"
CARD_TYPE = "Visa"


def transaction_answer(
    root: str,
    ref_id: str | None,
    response_code: int,
    reason_code: int,
    *,
    transaction: Transaction | None = None,
    ref_trans_id: str = "",
    card_known: bool = True,
    extra: Mapping[str, Value] | None = None,
    after: Mapping[str, Value] | None = None,
) -> Answer:
    """An answer with the gateway's element order: `extra` replaces fields, `after` follows the messages or errors.

    Response code 3 is Error/E00027 at the top, everything else is Ok/I00001, declines too.
    """
    checked = transaction is not None
    fields: dict[str, Value] = {
        "responseCode": str(response_code),
        "authCode": transaction.auth_code if transaction else "",
        "avsResultCode": "Y" if checked else "P",
        "cvvResultCode": "P" if checked else "",
        "cavvResultCode": "2" if checked else "",
        "transId": transaction.id if transaction else "0",
        "refTransID": ref_trans_id,
        "transHash": "",
        "testRequest": "0",
        "accountNumber": MASKED_NUMBER if card_known else "",
        "accountType": CARD_TYPE if card_known else "",
        **(extra or {}),
        **_reason(response_code, reason_code),
        "transHashSha2": "",
        **(after or {}),
        "SupplementalDataQualificationIndicator": 0,
    }
    code = "E00027" if response_code == 3 else "I00001"
    return Answer(root, code, {"transactionResponse": fields}, ref_id)


def _reason(response_code: int, reason_code: int) -> dict[str, Value]:
    """Approvals and holds carry messages; declines and errors carry errors."""
    text = REASONS[reason_code]
    if response_code in (1, 4):
        return {"messages": [{"code": str(reason_code), "description": text}]}
    return {"errors": [{"errorCode": str(reason_code), "errorText": text}]}

"""The gateway's codes and the texts it gives with them (Authorize.net's published response codes)."""

from __future__ import annotations

MESSAGES = {
    "I00001": "Successful.",
    "I00004": "No records found.",
    "E00001": "An error occurred during processing. Please try again.",
    "E00002": "The content-type specified is not supported.",
    "E00003": "An error occurred while parsing the XML request.",
    "E00004": "The name of the requested API method is invalid.",
    "E00007": "User authentication failed due to invalid authentication values.",
    "E00013": "The field is invalid.",
    "E00027": "The transaction was unsuccessful.",
    "E00040": "The record cannot be found.",
    "E00045": "The root node does not reference a valid XML namespace.",
    "E00104": "The server is in maintenance, so the requested method is unavailable. Please try again later.",
}

REASONS = {
    1: "This transaction has been approved.",
    2: "This transaction has been declined.",
    5: "A valid amount is required.",
    6: "The credit card number is invalid.",
    8: "The credit card has expired.",
    11: "A duplicate transaction has been submitted.",
    13: "The merchant login ID or password is invalid or the account is inactive.",
    16: "The transaction cannot be found.",
    17: "The merchant does not accept this type of credit card.",
    19: "An error occurred during processing. Please try again.",
    33: "A required field is missing.",
    54: "The referenced transaction does not meet the criteria for issuing a credit.",
    55: "The sum of credits against the referenced transaction would exceed original debit amount.",
    252: "Your order has been received. Thank you for your business!",
    253: "Your order has been received. Thank you for your business!",
    254: "Your transaction has been declined.",
    295: "The amount of this request was only partially approved on the given prepaid card.",
    310: "This transaction has already been voided.",
}

# A transaction that is held for review, or that was held and came out of it, keeps its filter in the details.
FRAUD_FILTERS = {"FDSPendingReview": "hold", "FDSAuthorizedPendingReview": "authAndHold"}
HELD_STATUSES = frozenset(FRAUD_FILTERS)

"""The bytes of a charge at microseconds of cost: the SDK's own bytes, written once, with the values filled in.

A test proves that the result equals what the SDK writes for the same values.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from xml.dom.minidom import Text

from application.adapters.authorizenet.requests import Requests
from application.ports import ChargeRequest

_LOGIN: Final = "-login-"
_KEY: Final = "-key-"
_MODEL: Final = ChargeRequest(
    invoice_number="-invoice-",
    amount_cents=87_654_321_99,
    customer_profile_id="700000000000000001",
    payment_profile_id="700000000000000002",
    description="-description-",
)
_SLOTS: Final = (  # the invoice number is the refId too
    _MODEL.invoice_number, "87654321.99", _MODEL.customer_profile_id, _MODEL.payment_profile_id, _MODEL.description,
)  # fmt: skip
_INVOICE: Final = re.compile(r"[A-Za-z0-9-]{1,20}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MARKUP: Final = re.compile('[&<>"\r\n\t]')
_MAX_DESCRIPTION: Final = 255


def charge_bytes(login_id: str, transaction_key: str, request: ChargeRequest) -> bytes:
    """The request as Requests.charge writes it. Raises ValueError for what the gateway would refuse as malformed."""
    _check(request)
    to_ref_id, to_amount, to_customer, to_card, to_invoice, to_description, end = _pieces(login_id, transaction_key)
    invoice_number = request.invoice_number
    return (
        f"{to_ref_id}{invoice_number}{to_amount}{_decimal(request.amount_cents)}{to_customer}"
        f"{request.customer_profile_id}{to_card}{request.payment_profile_id}{to_invoice}{invoice_number}"
        f"{to_description}{_escaped(tidy(request.description))}{end}"
    ).encode()


def tidy(description: str) -> str:
    """The description as the schema takes it: no control characters, at most 255 characters."""
    if not description.isprintable():  # which no control character is
        description = _CONTROL.sub(" ", description)
    return description[:_MAX_DESCRIPTION]


@lru_cache(maxsize=8)
def _pieces(login_id: str, transaction_key: str) -> list[str]:
    """The SDK's text of the model charge with our keys, cut at the values: what stands before each, and the end."""
    written = Requests(_LOGIN, _KEY).charge(_MODEL).decode()
    pieces = re.split("|".join(map(re.escape, _SLOTS)), written)
    start, between, end = re.split(f"{_LOGIN}|{_KEY}", pieces[0])
    return [f"{start}{_escaped(login_id)}{between}{_escaped(transaction_key)}{end}", *pieces[1:]]


def _check(request: ChargeRequest) -> None:
    if not _INVOICE.fullmatch(request.invoice_number):
        raise ValueError("an invoice number has 1 to 20 letters, digits or hyphens")
    if not (_is_digits(request.customer_profile_id) and _is_digits(request.payment_profile_id)):
        raise ValueError("profile ids are digits")
    if request.amount_cents <= 0:
        raise ValueError("an amount must be positive")


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _decimal(cents: int) -> str:
    """As the SDK writes amounts: no trailing zeros, but at least one digit after the point."""
    units, hundredths = divmod(cents, 100)
    return f"{units}.{hundredths:02d}".removesuffix("0")


def _escaped(value: str) -> str:
    if not _MARKUP.search(value):
        return value
    text = Text()
    text.data = value
    return text.toxml()

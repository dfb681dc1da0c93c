"""The bytes of a charge at microseconds of cost: the SDK's own bytes, written once, with the values filled in.

A test proves that the result equals what the SDK writes for the same values.
"""

from __future__ import annotations

import re
from functools import cache
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
_SLOTS: Final = (
    _LOGIN, _KEY, _MODEL.invoice_number, "87654321.99", _MODEL.customer_profile_id, _MODEL.payment_profile_id,
    _MODEL.description,
)  # fmt: skip
_DIGITS: Final = re.compile(r"[0-9]+")
_INVOICE: Final = re.compile(r"[A-Za-z0-9-]{1,20}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MARKUP: Final = re.compile('[&<>"\r\n\t]')
_MAX_DESCRIPTION: Final = 255


def charge_bytes(login_id: str, transaction_key: str, request: ChargeRequest) -> bytes:
    """The request as Requests.charge writes it. Raises ValueError for what the gateway would refuse as malformed."""
    _check(request)
    values = (
        login_id,
        transaction_key,
        request.invoice_number,
        _decimal(request.amount_cents),
        request.customer_profile_id,
        request.payment_profile_id,
        tidy(request.description),
    )
    filled = dict(zip(_SLOTS, map(_escaped, values), strict=True))
    return "".join(filled.get(piece, piece) for piece in _pieces()).encode()


def tidy(description: str) -> str:
    """The description as the schema takes it: no control characters, at most 255 characters."""
    return _CONTROL.sub(" ", description)[:_MAX_DESCRIPTION]


@cache
def _pieces() -> list[str]:
    """The SDK's text of the model charge, cut at the values; every value is found as a piece of its own."""
    written = Requests(_LOGIN, _KEY).charge(_MODEL).decode()
    return re.split("(" + "|".join(map(re.escape, _SLOTS)) + ")", written)


def _check(request: ChargeRequest) -> None:
    if not _INVOICE.fullmatch(request.invoice_number):
        raise ValueError("an invoice number has 1 to 20 letters, digits or hyphens")
    if not (_DIGITS.fullmatch(request.customer_profile_id) and _DIGITS.fullmatch(request.payment_profile_id)):
        raise ValueError("profile ids are digits")
    if request.amount_cents <= 0:
        raise ValueError("an amount must be positive")


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

"""Answers of the gateway, as XML or JSON, each behind a byte order mark.

They are built as plain nested values. A list under one of the names in `_WRAPPED` is a wrapper element full of items in
XML and a bare array in JSON; any other list repeats its element.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from api.sandbox.authorizenet.codes import MESSAGES

NAMESPACE = "AnetApi/xml/v1/schema/AnetApiSchema.xsd"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_WRAPPED = {
    "messages": "message",
    "errors": "error",
    "transactions": "transaction",
    "batchList": "batch",
    "statistics": "statistic",
    "FDSFilters": "FDSFilter",
    "fraudFilterList": "fraudFilter",
    "processors": "processor",
    "marketTypes": "marketType",
    "productCodes": "productCode",
    "paymentMethods": "paymentMethod",
    "currencies": "currency",
}


@dataclass(frozen=True)
class Money:
    """An amount in cents, on the wire a decimal with two places."""

    cents: int


Value = str | int | bool | Money | Mapping[str, "Value"] | Sequence["Value"]


@dataclass(frozen=True)
class Answer:
    """One application answer: always HTTP 200. `code` tells whether it is Ok (I...) or Error (E...)."""

    root: str
    code: str = "I00001"
    body: Mapping[str, Value] = field(default_factory=dict)
    ref_id: str | None = None
    text: str | None = None  # in place of the code's usual text

    @property
    def messages(self) -> Mapping[str, Value]:
        text = self.text or MESSAGES[self.code]
        return {
            "resultCode": "Error" if self.code.startswith("E") else "Ok",
            "message": [{"code": self.code, "text": text}],
        }


def error_response(code: str, text: str | None = None) -> Answer:
    """The answer to a request that reached no operation: wrong form, wrong keys."""
    return Answer("ErrorResponse", code, text=text)


def encode(answer: Answer, *, as_json: bool) -> bytes:
    return BYTE_ORDER_MARK + (_write_json(answer) if as_json else _write_xml(answer)).encode()


def _write_xml(answer: Answer) -> str:
    children: dict[str, Value] = {} if answer.ref_id is None else {"refId": answer.ref_id}
    children |= {"messages": answer.messages, **answer.body}
    return (
        f'<?xml version="1.0" encoding="utf-8"?><{answer.root} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="{NAMESPACE}">'
        + "".join(_xml(name, value) for name, value in children.items())
        + f"</{answer.root}>"
    )


def _xml(name: str, value: Value) -> str:
    if isinstance(value, str | int | Money):
        text = _xml_text(value)
        return f"<{name}>{text}</{name}>" if text else f"<{name} />"
    if isinstance(value, Mapping):
        inner = "".join(_xml(key, item) for key, item in value.items())
    elif name in _WRAPPED:
        inner = "".join(_xml(_WRAPPED[name], item) for item in value)
    else:
        return "".join(_xml(name, item) for item in value)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name} />"


def _xml_text(value: str | int | Money) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Money):
        return f"{value.cents // 100}.{value.cents % 100:02d}"
    return escape(str(value))


def _write_json(answer: Answer) -> str:
    refs = {} if answer.ref_id is None else {"refId": answer.ref_id}
    return json.dumps({**answer.body, **refs, "messages": answer.messages}, default=_json_number, separators=(",", ":"))


def _json_number(value: object) -> float:
    """The gateway writes amounts as JSON numbers. Two places survive the float exactly as text."""
    assert isinstance(value, Money)
    return value.cents / 100

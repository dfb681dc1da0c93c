"""JSON as RFC 8259 and I-JSON (RFC 7493) mean it: what two parsers could read differently is refused."""

from __future__ import annotations

import json
import math
import re
from string import digits
from typing import Any, Final, NoReturn

import msgspec

MAX_DEPTH = 32
_MAX_NUMBER_CHARS = 64
_INT64 = range(-(2**63), 2**63)

# The closing quote is optional, so that a string without an end is scanned once and not again from every quote in it.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
# Tab and line breaks are text; the other C0 controls, DEL and the C1 controls are not.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# Of a plain body: a digit becomes 0, and what is not plain (escapes, controls, the first byte of a C1 control) a NUL.
_NOT_PLAIN: Final = frozenset(b"\\\xc2\x7f") | frozenset(range(32)) - frozenset(b"\t\n\r")
_KINDS: Final = bytes(48 if chr(byte) in digits else 0 if byte in _NOT_PLAIN else 32 for byte in range(256))
_LONG_NUMBER: Final = b"0" * 18  # shorter ones are in range


class NotStrictJson(ValueError):
    """`detail` is a slug that says why; the text itself is never repeated."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def loads(body: bytes) -> Any:
    """Parse, or raise NotStrictJson.

    Refused besides bad syntax: duplicate keys, NaN and infinities, integers beyond 64 bit, a byte order mark, lone
    surrogates, control characters, and nesting deeper than MAX_DEPTH.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStrictJson("not-utf-8") from None
    if _depth(text) > MAX_DEPTH:
        raise NotStrictJson("nested-too-deep")
    kinds = body.translate(_KINDS)
    if b"\0" in kinds or _LONG_NUMBER in kinds:
        return by_every_rule(text)
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return by_every_rule(text)
    # A key that came twice is there once, so its quotes are missing; nothing else changes the number of quotes.
    same_quotes = msgspec.json.encode(value).count(b'"') == body.count(b'"')
    return value if same_quotes else by_every_rule(text)


def by_every_rule(text: str) -> Any:
    """What `loads` gives, in many steps. Most bodies are so plain that they need none of them."""
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError:
        raise NotStrictJson("not-json") from None
    if "\\" in text or _CONTROL.search(text):  # else no string can hold what is looked for
        _check_strings(value)
    return value


def without_nulls(value: Any) -> Any:
    """A null parameter counts as not passed: remove them from objects, at every level. Nulls in arrays stay."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0  # cannot be deeper than that, and most bodies end here
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        first = match.group()[0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictJson("duplicate-key")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MAX_NUMBER_CHARS or (number := int(digits)) not in _INT64:
        raise NotStrictJson("number-out-of-range")
    return number


def _float(digits: str) -> float:
    if len(digits) > _MAX_NUMBER_CHARS or not math.isfinite(number := float(digits)):
        raise NotStrictJson("number-out-of-range")
    return number


def _constant(_name: str) -> NoReturn:
    raise NotStrictJson("not-a-number")


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        if _CONTROL.search(value):
            raise NotStrictJson("control-character")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise NotStrictJson("lone-surrogate") from None
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_strings(key)
            _check_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_strings(inner)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)

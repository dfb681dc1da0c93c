"""Identifiers derived from what they stand for, with the service's secret key.

They are keyed (HMAC-SHA256, RFC 2104), or whoever reads them could find the token, address or recipient by guessing.
Every kind has a label of its own, and every part carries its length, so that no two inputs meet in one identifier.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from string import ascii_letters, digits
from typing import Any
from uuid import UUID

from application.keyed_digest import KeyedDigest

SECRET_MIN_BYTES = 16
EMAIL_ID_CHARACTERS = 32  # 128 bits in hex
# Letters without case, digits as they are, all else a space.
_ASCII_FOLDED = bytes(ord(chr(byte).lower()) if chr(byte) in ascii_letters + digits else 32 for byte in range(256))
ADDRESS_FIELDS = ("street", "street2", "city", "province", "postal_code")


class DerivedIds:
    """The same secret key and input give the same identifier, in every process and for ever."""

    def __init__(self, secret_key: bytes) -> None:
        if len(secret_key) < SECRET_MIN_BYTES:
            raise ValueError(f"the secret key needs at least {SECRET_MIN_BYTES} bytes")
        self._keyed = KeyedDigest(secret_key)

    def token_hash(self, token: str) -> str:
        """How a token of an application or a session is stored and looked up (64 hex digits)."""
        return self._digest("token", token).hex()

    def duplicate_window_id(
        self, client_id: int, services: Sequence[tuple[str, int]], property_info: Mapping[str, Any]
    ) -> UUID:
        """The stream that guards one thing: client, services with quantities in any order, and the property.

        The property is its `property_id` where it has one, else its address without case, punctuation and spacing.
        """
        ordered = [part for slug, quantity in sorted(services) for part in (slug, str(quantity))]
        return self._uuid("duplicate-window", str(client_id), str(len(services)), *ordered, *_property(property_info))

    def redemption_id(self, promotion_id: UUID, holder: str) -> UUID:
        """The stream of one holder's (`user:11`, `client:11`) one use of a promotion."""
        return self._uuid("redemption", promotion_id.hex, holder)

    def order_id(self, requester_id: str, idempotency_key: str) -> UUID:
        """The order that a requester's Idempotency-Key stands for."""
        return self._uuid("order", requester_id, idempotency_key)

    def email_id(self, order_id: UUID, recipient: str) -> str:
        """One order's message to one recipient (32 hex digits), whatever the case of the address."""
        return self._digest("email", order_id.hex, recipient.strip().casefold()).hex()[:EMAIL_ID_CHARACTERS]

    def request_digest(self, canonical_json: bytes) -> str:
        """Tells a repeat of a request from another request under the same Idempotency-Key (64 hex digits)."""
        return self._digest("request", canonical_json).hex()

    def _digest(self, label: str, *parts: str | bytes) -> bytes:
        message = bytearray()
        for part in (label, *parts):
            data = part.encode() if isinstance(part, str) else part
            message += len(data).to_bytes(8)
            message += data
        return self._keyed.of(message)

    def _uuid(self, label: str, *parts: str) -> UUID:
        """UUID version 8 (RFC 9562, 5.8): 122 bits of the digest."""
        number = int.from_bytes(self._digest(label, *parts)[:16])
        number = number & ~(0xF << 76) | 0x8 << 76  # version
        return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)  # variant


def _property(property_info: Mapping[str, Any]) -> list[str]:
    property_id = str(property_info.get("property_id") or "").strip()
    if property_id:
        return ["property-id", property_id]
    address = property_info.get("address") or {}
    return ["address", *[normalised(str(address.get(name) or "")) for name in ADDRESS_FIELDS]]


def normalised(text: str) -> str:
    """The text as people mean it: NFKC, no case; runs of punctuation, symbols and spaces become one space.

    Letters, digits and the marks that belong to letters stay, in every script, so another house stays another.
    """
    if text.isascii():
        return " ".join(text.encode().translate(_ASCII_FOLDED).decode().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(_kept(character) for character in folded)
    return re.sub(" +", " ", kept).strip()


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":  # invisible: soft hyphens, zero-width spaces, direction marks
        return ""
    return character if category[0] in "LNM" else " "

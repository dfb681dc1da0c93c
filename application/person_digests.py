"""Keyed digests by which orders are found: of e-mail addresses and of properties, never the thing itself.

HMAC-SHA256 (RFC 2104) under a key of its own, derived from the service's secret key (HKDF-SHA256, RFC 5869), so that
whoever reads the index can neither see nor guess what it leads from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.derived_ids import ADDRESS_FIELDS, normalised
from application.keyed_digest import KeyedDigest

DIGEST_CHARACTERS = 32  # 128 bits in hex
MAX_CHARACTERS = 500  # of what is searched for


class PersonDigests:
    """The same secret key and text give the same digest, in every process."""

    def __init__(self, secret_key: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"orders person index v1").derive(secret_key)
        self._keyed = KeyedDigest(derived)

    def email(self, address: str) -> str:
        """Of an e-mail address, whatever its case."""
        return self._digest("email", _email(address))

    def place(self, text: str) -> str:
        """Of a property: its address on one line or its id, without case, punctuation and spacing."""
        return self._digest("place", normalised(text))

    def of(self, personal: Mapping[str, Any]) -> set[str]:
        """All digests that the personal data of one order is found by."""
        # First what is the same when normalised, as an address without a second line is: that takes less than a digest.
        emails = {_email(address) for address in _emails(personal)}
        places = {normalised(text) for text in _places(personal.get("property_info") or {})}
        named = [*(("email", text) for text in emails), *(("place", text) for text in places)]
        return {self._digest(kind, text) for kind, text in named if text}

    def _digest(self, kind: str, text: str) -> str:
        return self._keyed.of(f"{kind}\0{text}".encode()).hex()[:DIGEST_CHARACTERS]


def _email(address: str) -> str:
    return address.strip().casefold()


def _emails(personal: Mapping[str, Any]) -> Iterator[str]:
    yield from personal.get("recipients") or ()
    contact = (personal.get("property_access") or {}).get("onsite_contact_email")
    if contact:
        yield contact


def _places(property_info: Mapping[str, Any]) -> Iterator[str]:
    """The property's id; its whole address; without the province, which people write otherwise; the street alone."""
    yield str(property_info.get("property_id") or "")
    address = property_info.get("address") or {}
    street, street2, city, province, postal_code = (str(address.get(name) or "") for name in ADDRESS_FIELDS)
    yield " ".join((street, street2, city, province, postal_code))
    yield " ".join((street, street2, city, postal_code))
    yield " ".join((street, street2))
    yield street

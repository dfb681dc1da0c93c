"""Sealing and opening of personal data: AES-256-GCM (NIST SP 800-38D) over canonical JSON."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.randomness import random_bytes
from domain.personal_data import SealedPersonalData

NONCE_BYTES = 12  # random 96 bits: safe for 2**32 messages of one key (SP 800-38D, 8.3)
KEY_BYTES = 32
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class SealBroken(Exception):
    """The sealed data does not open: another key, another place (aad), or a changed byte."""


def seal(plain: Mapping[str, Any], key_id: str, key: bytes, aad: bytes) -> SealedPersonalData:
    """Encrypt `plain` with the client's key, for the place that `aad` names (the order's id, say).

    Raises ValueError or TypeError where `plain` is no JSON object or the key has not 256 bits.
    """
    nonce = random_bytes(NONCE_BYTES)
    ciphertext = _cipher(key).encrypt(nonce, canonical_json(plain), aad)
    return SealedPersonalData(key_id, b64encode(nonce).decode(), b64encode(ciphertext).decode())


def open_sealed(sealed: SealedPersonalData, key: bytes, aad: bytes) -> dict[str, Any]:
    """What was sealed, if key and place are the same as then. Raises SealBroken."""
    cipher = _cipher(key)
    try:
        plain = cipher.decrypt(b64decode(sealed.nonce, validate=True), b64decode(sealed.ciphertext, validate=True), aad)
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"data sealed with key {sealed.key_id} does not open") from error
    opened: dict[str, Any] = json.loads(plain)
    return opened


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """One text for one meaning: sorted keys, no spaces, UTF-8, no NaN.

    Raises ValueError or TypeError where it is no JSON object.
    """
    try:
        text = msgspec.json.encode(value, order="sorted")
        reads_back = msgspec.json.decode(text) == value  # it also writes what is no JSON, as text or null
    except (ValueError, TypeError, OverflowError, msgspec.MsgspecError):
        reads_back = False
    return text if reads_back else _CANONICAL.encode(value).encode()


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:  # AESGCM would take 128 and 192 bits too
        raise ValueError("a key of 256 bits is needed")
    return AESGCM(key)

"""Personal data as events hold it: sealed, so that destroying one key erases the person and changes no stored byte."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SealedPersonalData:
    """The personal data of one order, encrypted with the client's own key. Without that key it is noise."""

    key_id: str  # names the key in the key store; random
    nonce: str  # base64 of 96 bits
    ciphertext: str  # base64 of the encrypted canonical JSON and its 128-bit tag

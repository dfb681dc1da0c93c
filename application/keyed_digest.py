"""HMAC-SHA256 (RFC 2104) under a key that stays."""

from __future__ import annotations

from hashlib import sha256

BLOCK_BYTES = 64  # of SHA-256


class KeyedDigest:
    """Half of each digest's work is in the key (section 2), so it is done once and copied; the hmac module's copies go
    through Python."""

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= BLOCK_BYTES else sha256(key).digest()).ljust(BLOCK_BYTES, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def of(self, message: bytes | bytearray) -> bytes:
        """The 32 bytes of the message's digest."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

"""Random bytes of the operating system, fetched ahead.

Not for the cost of the bytes: each call to `os.urandom` lets another thread take the interpreter, which under load it
gives back late.
"""

from __future__ import annotations

import os
import threading
from typing import Final

_AHEAD: Final = 4096
_BASE32: Final = bytes(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte & 31] for byte in range(256))  # RFC 4648, section 6


class _Ahead(threading.local):
    """Every thread has bytes of its own."""

    def __init__(self) -> None:
        self.left = bytearray()


_ahead = _Ahead()


def random_bytes(number: int) -> bytes:
    """So many bytes that nobody has had before, from `os.urandom`."""
    left = _ahead.left
    if number > len(left):
        left[:] = os.urandom(max(_AHEAD, number))
    taken = bytes(left[-number:])
    del left[-number:]
    return taken


def random_base32(characters: int) -> str:
    """So many characters of the base32 alphabet, 5 random bits in each."""
    return random_bytes(characters).translate(_BASE32).decode()


os.register_at_fork(after_in_child=lambda: _ahead.left.clear())  # a child must not repeat what its parent takes

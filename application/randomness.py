"""Random bytes of the operating system, fetched ahead.

Not for the cost of the bytes: each call to `os.urandom` lets another thread take the interpreter, which under load it
gives back late.
"""

from __future__ import annotations

import os
from typing import Final

_AHEAD: Final = 4096

_left = bytearray()


def random_bytes(number: int) -> bytes:
    """So many bytes that nobody has had before, from `os.urandom`. Call it on one thread only, the event loop's."""
    if number > len(_left):
        _left[:] = os.urandom(max(_AHEAD, number))
    taken = bytes(_left[-number:])
    del _left[-number:]
    return taken


os.register_at_fork(after_in_child=_left.clear)  # a child must not repeat what its parent takes

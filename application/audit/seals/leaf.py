"""What the tree is made of: one hash for each stored event, over exactly what the table holds."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import TypeAlias

Row: TypeAlias = tuple[int, str, int, str, bytes]
"""A stored event: position, stream id (text), version, topic, state. Somebody may have put other types there."""

HASH_BYTES = 32
_INTEGER = 8  # bytes: big-endian, with a sign


@lru_cache(1_000)  # streams have ids of one length, and topics are few
def _columns(of_stream: int, of_name: int) -> Callable[..., bytes]:
    """Packs 0x00 (the x) and all columns but the state, each behind its length."""
    return struct.Struct(f">xIqI{of_stream}sIqI{of_name}sI").pack


def leaf_hash(row: Row) -> bytes:
    """SHA-256 over 0x00 (RFC 9162, 2.1.1) and the five columns, each with its length before it (4 bytes, big-endian).

    Two different rows never give the same bytes to hash: neither by moving a character from one column to the next,
    nor by storing text where bytes belong.
    """
    position, stream_id, version, topic, state = row
    try:
        stream, name = stream_id.encode(), topic.encode()
        of_stream, of_name = len(stream), len(name)
        columns = _columns(of_stream, of_name)
        head = columns(_INTEGER, position, of_stream, stream, _INTEGER, version, of_name, name, len(state))
        return sha256(head + state).digest()
    except (AttributeError, TypeError, UnicodeEncodeError, struct.error):
        return sha256(b"\x02" + repr(row).encode(errors="surrogateescape")).digest()  # no writer of ours stores that

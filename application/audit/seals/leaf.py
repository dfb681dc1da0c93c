"""What the tree is made of: one hash for each stored event, over exactly what the table holds."""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TypeAlias

Row: TypeAlias = tuple[int, str, int, str, bytes]
"""A stored event: position, stream id (text), version, topic, state. Somebody may have put other types there."""

HASH_BYTES = 32
_INTEGER = 8  # bytes: big-endian, with a sign
_pack = struct.Struct(">IqI").pack  # the length of an integer, the integer, the length of what follows
_length = struct.Struct(">I").pack


def leaf_hash(row: Row) -> bytes:
    """SHA-256 over 0x00 (RFC 9162, 2.1.1) and the five columns, each with its length before it (4 bytes, big-endian).

    Two different rows never give the same bytes to hash: neither by moving a character from one column to the next,
    nor by storing text where bytes belong.
    """
    position, stream_id, version, topic, state = row
    try:
        stream, name = stream_id.encode(), topic.encode()
        return sha256(
            b"\x00"
            + _pack(_INTEGER, position, len(stream))
            + stream
            + _pack(_INTEGER, version, len(name))
            + name
            + _length(len(state))
            + state
        ).digest()
    except (AttributeError, TypeError, UnicodeEncodeError, struct.error):
        return sha256(b"\x02" + repr(row).encode(errors="surrogateescape")).digest()  # no writer of ours stores that

"""An order's number, by which people name it."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's
_PAIRS = [high + low for high in _BASE32 for low in _BASE32]


def number_of(order_id: UUID) -> str:
    """Short, for people: ten characters of Crockford's base32 from the random end of the id."""
    return _number(order_id.int)


@lru_cache(maxsize=1024)  # an order's own request asks for it several times
def _number(bits: int) -> str:
    text = "".join([_PAIRS[bits >> shift & 1023] for shift in (40, 30, 20, 10, 0)])
    return f"{text[:5]}-{text[5:]}"

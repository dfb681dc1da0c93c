"""Reads the nodes of the stored tree for many proofs: neighbours share most of them."""

from __future__ import annotations

from functools import lru_cache

from application.audit.seals.merkle import STORED_LEVEL, node_hash
from application.audit.seals.storing import SealStore

CHUNK = 1 << STORED_LEVEL  # leaves that are read at once


class Nodes:
    """Any node of the first `size` leaves. Raises LookupError where the store does not have it."""

    def __init__(self, store: SealStore, size: int) -> None:
        self._store = store
        self._size = size
        self._levels = lru_cache(maxsize=16)(self._read_chunk)
        self._stored = lru_cache(maxsize=4096)(store.node)

    def __call__(self, level: int, number: int) -> bytes:
        if level >= STORED_LEVEL:
            return self._stored(level, number)
        chunk = number << level >> STORED_LEVEL
        return self._levels(chunk)[level][number - (chunk << STORED_LEVEL - level)]

    def _read_chunk(self, chunk: int) -> list[list[bytes]]:
        """The perfect subtrees within a chunk, by level."""
        start = chunk * CHUNK
        levels = [[leaf.hash for leaf in self._store.leaves(start, min(start + CHUNK, self._size))]]
        for _ in range(STORED_LEVEL - 1):
            below = levels[-1]
            levels.append([node_hash(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)])
        return levels

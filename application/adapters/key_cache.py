"""Keys of the key store that this process has just used, so that one order costs one read of its key at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

CACHE_TTL_S = 60.0  # for so long another process may go on with a key that was destroyed
CACHE_MAX_CLIENTS = 10_000


@dataclass(frozen=True)
class CachedKey:
    key_id: str
    key: bytes
    ends: float


class KeyCache:
    """Keys for CACHE_TTL_S. What was asked for before a `clear` is not taken after it. Used on the event loop only."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._clients: dict[int, CachedKey] = {}  # oldest first
        self._keys: dict[str, CachedKey] = {}
        self.generation = 0

    def by_client(self, client_id: int) -> tuple[str, bytes] | None:
        found = self._clients.get(client_id)
        return (found.key_id, found.key) if found and self._clock() < found.ends else None

    def by_key_id(self, key_id: str) -> bytes | None:
        found = self._keys.get(key_id)
        return found.key if found and self._clock() < found.ends else None

    def put(self, client_id: int, key_id: str, key: bytes, generation: int) -> None:
        if generation != self.generation:
            return
        self._clients.pop(client_id, None)
        if len(self._clients) >= CACHE_MAX_CLIENTS:
            oldest = self._clients.pop(next(iter(self._clients)))
            del self._keys[oldest.key_id]
        self._clients[client_id] = self._keys[key_id] = CachedKey(key_id, key, self._clock() + CACHE_TTL_S)

    def clear(self) -> None:
        self.generation += 1
        self._clients.clear()
        self._keys.clear()

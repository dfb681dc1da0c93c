"""The keys of personal data."""

from __future__ import annotations

from typing import Protocol


class KeyStore(Protocol):
    """One 256-bit key per client for personal data, in a store of its own. Destroying one erases the person."""

    async def key(self, client_id: int) -> tuple[str, bytes]:
        """The client's current key and its id, made on first use. Raises KeyDestroyed after an erasure."""
        ...

    async def find(self, key_id: str) -> bytes | None:
        """The key of that id, or None once it has been destroyed."""
        ...

    async def destroy(self, client_id: int) -> bool:
        """Destroy the client's keys; False where there was none."""
        ...


class KeyDestroyed(Exception):
    """The client's key was destroyed: no new personal data may be taken for it."""

"""Duplicate windows and promotion uses as they would have been under another policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MOST_WINDOWS = 200_000  # in memory, before those that block nothing any more are forgotten

Use = tuple[str, str]  # a promotion, and who uses it


@dataclass
class _Window:
    order_id: str
    blocked_until: datetime | None = None  # None while it is open


class OtherWorld:
    """Knows only orders that would have been accepted."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}
        self._uses: dict[Use, int] = {}  # reserved or redeemed
        self._reserved: dict[str, Use] = {}  # by order

    def duplicate(self, window_id: str, at: datetime) -> str | None:
        """The rule by which the same thing may not be paid now."""
        window = self._windows.get(window_id)
        if window is None:
            return None
        if window.blocked_until is None:
            return "earlier-payment-open"
        return "just-paid" if at < window.blocked_until else None

    def expended(self, use: Use, uses: int) -> str | None:
        """The rule by which the promotion may not be used once more."""
        if self._uses.get(use, 0) < uses:
            return None
        return "held-by-another-order" if use in self._reserved.values() else "already-redeemed"

    def accept(self, order_id: str, window_id: str, use: Use | None) -> None:
        self._windows[window_id] = _Window(order_id)
        if use is not None:
            self._uses[use] = self._uses.get(use, 0) + 1
            self._reserved[order_id] = use

    def close(self, order_id: str, window_id: str, blocked_until: datetime) -> None:
        window = self._windows.get(window_id)
        if window is not None and window.order_id == order_id:
            window.blocked_until = blocked_until

    def redeem(self, order_id: str) -> None:
        self._reserved.pop(order_id, None)

    def release(self, order_id: str) -> None:
        use = self._reserved.pop(order_id, None)
        if use is not None:
            self._uses[use] -= 1

    def forget(self, before: datetime) -> None:
        """Windows that block nothing any more, once there are many."""
        if len(self._windows) > MOST_WINDOWS:
            self._windows = {
                window_id: window
                for window_id, window in self._windows.items()
                if window.blocked_until is None or window.blocked_until >= before
            }

"""Endings that are ordered from outside, over the recipient's own: for tests, and for trying an outage by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from api.sandbox.mandrill.recipients import ENDINGS, SENT, Ending

SENDS_MAX: Final = 1_000_000
DELAY_MAX_MS: Final = 600_000


class Faults:
    """The next `sends` sends end as `outcome` says, and every answer waits `delay_ms`."""

    def __init__(self, delay_ms: int) -> None:
        self._default_delay_ms = delay_ms
        self.reset()

    def reset(self) -> None:
        self.sends = 0
        self.outcome: str | None = None
        self.delay_ms = self._default_delay_ms

    def order(self, wish: Mapping[str, Any]) -> None:
        """`{"outcome": a key of the recipients' table or "sent", "sends": n, "delay_ms": n}`. Raises ValueError."""
        if unknown := set(wish) - {"outcome", "sends", "delay_ms"}:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        delay_ms = _integer(wish, "delay_ms", self.delay_ms, DELAY_MAX_MS)
        if "outcome" in wish:
            if wish["outcome"] not in ("sent", *ENDINGS):
                raise ValueError(f"outcome is one of: sent, {', '.join(ENDINGS)}")
            self.sends = _integer(wish, "sends", 1, SENDS_MAX)
            self.outcome = wish["outcome"]
        self.delay_ms = delay_ms

    def next_ending(self) -> Ending | None:
        """The ordered ending of this send, used up by asking; None where none is ordered."""
        if not self.sends:
            return None
        self.sends -= 1
        return ENDINGS.get(self.outcome or "", SENT)

    def as_json(self) -> dict[str, Any]:
        return {"outcome": self.outcome if self.sends else None, "sends": self.sends, "delay_ms": self.delay_ms}


def _integer(wish: Mapping[str, Any], name: str, default: int, highest: int) -> int:
    value = wish.get(name, default)
    if type(value) is not int or not 0 <= value <= highest:
        raise ValueError(f"{name} is a whole number from 0 to {highest}")
    return value

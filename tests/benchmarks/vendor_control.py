"""Tells the stand-ins for the vendors how slow to be, and asks them what they have counted."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass

import msgspec


class Counts(msgspec.Struct, frozen=True):
    """Since they were asked last."""

    charges: int
    most_per_invoice: int


@dataclass(frozen=True)
class Control:
    url: str

    def counts(self) -> Counts:
        return msgspec.json.decode(self._ask("/counts"), type=Counts)

    def delay(self, charge_ms: int, mail_ms: int) -> None:
        self._ask("/delays", json.dumps({"charge_ms": charge_ms, "mail_ms": mail_ms}).encode())

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, body, timeout=10) as response:
            answered: bytes = response.read()
            return answered

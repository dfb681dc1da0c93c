"""Faults on purpose: the next requests of an operation end as an outcome says, whatever they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.sandbox.authorizenet.profiles import OUTCOMES, Outcome

CHARGE = "authCaptureTransaction"
TRANSACTION_TYPES = (CHARGE, "voidTransaction", "refundTransaction")
ANY_TRANSACTION = "createTransactionRequest"  # stands for all three types
OPERATIONS = (
    *TRANSACTION_TYPES,
    "updateHeldTransactionRequest",
    "getTransactionDetailsRequest",
    "getTransactionListForCustomerRequest",
    "getUnsettledTransactionListRequest",
    "getSettledBatchListRequest",
    "getTransactionListRequest",
    "authenticateTestRequest",
    "getMerchantDetailsRequest",
)
MAX_FAULTS = 100
MAX_DELAY_MS = 120_000


class BadFault(ValueError):
    """The fault makes no sense; the text says why."""


@dataclass
class _Fault:
    operation: str
    outcome: Outcome
    left: int


class Faults:
    """The faults that wait for their requests, in the order they were given, and the delay before every answer."""

    def __init__(self, delay_ms: int) -> None:
        self._default_delay_ms = delay_ms
        self.clear()

    def clear(self) -> None:
        self._waiting: list[_Fault] = []
        self.delay_ms = self._default_delay_ms

    def add(self, wish: Mapping[str, Any]) -> None:
        """Take {"operation", "outcome", "times", "performed"} and/or {"delay_ms"}. Raises BadFault.

        The operation is a charge unless named, `times` is 1, and `performed` overrides whether the request is carried
        out.
        """
        unknown = set(wish) - {"operation", "outcome", "times", "performed", "delay_ms"}
        if unknown or not wish:
            raise BadFault("give operation, outcome, times, performed or delay_ms")
        if "delay_ms" in wish:
            self.delay_ms = _whole(wish["delay_ms"], "delay_ms", 0, MAX_DELAY_MS)
        if "outcome" in wish:
            self._waiting.append(_fault(wish))
            self._waiting = self._waiting[-MAX_FAULTS:]

    def take(self, operation: str) -> Outcome | None:
        """The outcome forced on this request, used up by it."""
        for fault in self._waiting:
            if fault.operation == operation or (fault.operation == ANY_TRANSACTION and operation in TRANSACTION_TYPES):
                fault.left -= 1
                self._waiting = [waiting for waiting in self._waiting if waiting.left > 0]
                return fault.outcome
        return None


def _fault(wish: Mapping[str, Any]) -> _Fault:
    operation, outcome = wish.get("operation", CHARGE), OUTCOMES.get(str(wish["outcome"]))
    if operation not in (*OPERATIONS, ANY_TRANSACTION):
        raise BadFault(f"operation is one of {', '.join((*OPERATIONS, ANY_TRANSACTION))}")
    if outcome is None:
        raise BadFault(f"outcome is one of {', '.join(OUTCOMES)}")
    if operation != CHARGE and not outcome.for_any_operation:
        raise BadFault("this outcome is possible for a charge only")
    if "performed" in wish:
        if not isinstance(wish["performed"], bool):
            raise BadFault("performed is true or false")
        outcome = replace(outcome, performed=wish["performed"])
    return _Fault(operation, outcome, _whole(wish.get("times", 1), "times", 1, 1_000_000))


def _whole(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadFault(f"{name} is a whole number from {least} to {most}")
    return value

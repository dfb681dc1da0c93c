"""Draws what goes wrong in a simulation from its seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tests.proof.world.faults import LOOKUP_REASONS, ChargeFault, CorrectionFault, InsertFault, MailFault

SPAN_S = 600.0  # in which people ask and things break
FAULTS_END_S = SPAN_S + 120.0

_WEIGHTS = {ChargeFault.APPROVED: 60.0, ChargeFault.DECLINED: 4.0, ChargeFault.TIMEOUT_LANDED: 3.0}
_KINDS = list(ChargeFault)
_KIND_WEIGHTS = [_WEIGHTS.get(kind, 1.0) for kind in _KINDS]


class SeededPlan:
    """Draws every fault from the seed; none after the faults' end."""

    def __init__(self, seed: str) -> None:
        self._random = Random(f"{seed}/plan")
        self._chance = self._random.random
        self.now_s: Callable[[], float] = lambda: 0.0
        self.database_outages = self._periods(3, 0.3, 15.0)
        self.mail_outages = self._periods(1, 60.0, 300.0)
        self.lookup_outages = self._periods(1, 30.0, 200.0)

    def _periods(self, number: int, shortest_s: float, longest_s: float) -> list[tuple[float, float]]:
        begins = [self._random.uniform(20.0, SPAN_S) for _ in range(number)]
        return [(begin, begin + self._random.uniform(shortest_s, longest_s)) for begin in begins]

    def _faulty(self, chance: float) -> bool:
        return self._chance() < chance and self.now_s() < FAULTS_END_S

    def charge(self) -> ChargeFault:
        if self.now_s() >= FAULTS_END_S:
            return ChargeFault.APPROVED
        return self._random.choices(_KINDS, _KIND_WEIGHTS)[0]

    def correction(self, kind: str) -> CorrectionFault | None:
        return self._random.choice(list(CorrectionFault)) if self._faulty(0.6) else None

    def lookup(self, kind: str) -> str | None:
        if self._within(self.lookup_outages) or self._faulty(0.05):
            return self._random.choice(LOOKUP_REASONS)
        return None

    def mail(self) -> MailFault | None:
        if self._within(self.mail_outages):
            return MailFault.DOWN
        return self._random.choice(list(MailFault)) if self._faulty(0.06) else None

    def search(self) -> str | None:
        return self._random.choice(LOOKUP_REASONS) if self._faulty(0.1) else None

    def mail_shows_after_s(self) -> float:
        return self._random.uniform(0.0, 40.0) if self._chance() < 0.9 else 300.0

    def refund_shows_after_s(self) -> float:
        return self._random.uniform(0.0, 200.0)

    def insert(self, label: str) -> InsertFault | None:
        return self._random.choice(list(InsertFault)) if self._faulty(0.012) else None

    def database_down(self) -> bool:
        return self._within(self.database_outages)

    def _within(self, periods: Sequence[tuple[float, float]]) -> bool:
        now_s = self.now_s()
        return any(begin <= now_s < end for begin, end in periods)

    def database_s(self) -> float:
        drawn = self._chance()
        if drawn < 0.996:
            return 0.001 + 0.008 * drawn
        return 0.5 + 1_700.0 * (drawn - 0.996)  # up to 7.3 s: longer than a charge may wait

    def vendor_s(self) -> float:
        return 0.05 + 0.3 * self._chance()

    def projection_s(self) -> float:
        drawn = self._chance()
        return 0.05 * drawn if drawn < 0.98 else 4.0 * drawn

    def kills(self, number: int) -> bool:
        return self._faulty(0.004)

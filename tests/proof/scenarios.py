"""What may happen in one schedule, and the plan that makes it happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from application.commands import SubmitOrder
from domain.policy import Policy
from tests.proof.world.examples import GIFT100, SPRING10, order
from tests.proof.world.faults import ChargeFault, CorrectionFault, InsertFault, MailFault

HELD_EXPIRY_S = 3_600
HORIZON_S = 4 * 3_600.0
POLICY = Policy(held_expiry_s=HELD_EXPIRY_S)

SECONDS = ("none", "same-thing", "same-key", "same-thing-later", "same-key-later")
PROMOTIONS = {"none": None, "ten-percent": SPRING10, "everything": GIFT100}


@dataclass(frozen=True)
class DatabaseFault:
    """What happens to the commit of this number (1 is the intent, 2 the outcome, 3 the mail) and for a time after."""

    kind: InsertFault
    commit: int
    down_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind}-{self.down_s:g}s-at-commit-{self.commit}"


DATABASE_FAULTS: tuple[DatabaseFault | None, ...] = (
    None,
    *(DatabaseFault(InsertFault.DOWN, commit, down_s) for commit in (1, 2, 3) for down_s in (0.5, 60.0)),
    *(DatabaseFault(kind, commit) for commit in (1, 2, 3) for kind in InsertFault if kind is not InsertFault.DOWN),
)


@dataclass(frozen=True)
class Scenario:
    charge: ChargeFault = ChargeFault.APPROVED
    database: DatabaseFault | None = None
    second: str = "none"
    promotion: str = "none"
    lookups_fail_s: float = 0.0  # from the beginning on
    correction: CorrectionFault | None = None  # of the first void, refund or decline

    def __str__(self) -> str:
        parts = [f"{self.charge}, database {self.database}, second request {self.second}, promotion {self.promotion}"]
        if self.lookups_fail_s:
            parts.append(f"lookups fail for {self.lookups_fail_s:g} s")
        if self.correction:
            parts.append(f"the first correction {self.correction}")
        return ", ".join(parts)


@dataclass
class ScriptedPlan:
    """One scenario, and the crossings at which the process dies."""

    scenario: Scenario
    kill_at: tuple[int, ...] = ()
    commits: int = 0
    charges: int = 0
    corrections: int = 0
    down_until_s: float = -1.0
    now_s: Callable[[], float] = lambda: 0.0

    def charge(self) -> ChargeFault:
        self.charges += 1
        return self.scenario.charge if self.charges == 1 else ChargeFault.APPROVED

    def insert(self, label: str) -> InsertFault | None:
        self.commits += 1
        fault = self.scenario.database
        if fault is None or fault.commit != self.commits:
            return None
        if fault.kind is InsertFault.DOWN:
            self.down_until_s = self.now_s() + fault.down_s
        return fault.kind

    def database_down(self) -> bool:
        return self.now_s() < self.down_until_s

    def kills(self, number: int) -> bool:
        return number in self.kill_at

    def correction(self, kind: str) -> CorrectionFault | None:
        self.corrections += 1
        return self.scenario.correction if self.corrections == 1 else None

    def lookup(self, kind: str) -> str | None:
        return "incomplete" if self.now_s() < self.scenario.lookups_fail_s else None

    def mail(self) -> MailFault | None:
        return None

    def search(self) -> str | None:
        return None

    def mail_shows_after_s(self) -> float:
        return 20.0

    def refund_shows_after_s(self) -> float:
        return 30.0

    def database_s(self) -> float:
        return 0.002

    def vendor_s(self) -> float:
        return 0.2

    def projection_s(self) -> float:
        return 0.1


def command_of(request_id: str, scenario: Scenario) -> SubmitOrder:
    key = "key-1" if scenario.second.startswith("same-key") else None
    return order(request_id, promotion=PROMOTIONS[scenario.promotion], idempotency_key=key)

"""What a world is like, and what its clients were told."""

from __future__ import annotations

from dataclasses import dataclass, field

from application.commands import Outcome, SubmitOrder
from domain.policy import Policy


@dataclass(frozen=True)
class Answer:
    """What a client was told; None: its connection was lost."""

    command: SubmitOrder
    outcome: Outcome | None
    at_s: float


@dataclass(frozen=True)
class Settings:
    """What a world is like. `number` keeps worlds apart that share one database."""

    seed: str
    number: int = 0
    shuffle: bool = False
    skew_s: float = 0.0
    reconcile_s: float = 60.0
    settle_s: float = 3_600.0
    policy: Policy = field(default_factory=Policy)

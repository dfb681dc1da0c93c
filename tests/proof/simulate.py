"""Many clients, several processes, and everything that can go wrong at once, from a seed.

    uv run python -m tests.proof.simulate --orders 1000000 --seed 1

A seed is one world: some hundred orders over ten virtual minutes, with crashes, frozen processes, outages and every
fault of the vendors; then the faults stop, and the world must come to rest with every invariant intact.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from domain.order import Order
from domain.policy import Policy
from tests.proof.invariants import violations
from tests.proof.people import PROCESSES, client, misfortune, operator
from tests.proof.seeded_plan import FAULTS_END_S, SeededPlan
from tests.proof.world.faults import LOOKUP_REASONS, ChargeFault, CorrectionFault, InsertFault, MailFault
from tests.proof.world.recorders import MemoryStore
from tests.proof.world.settings import Settings
from tests.proof.world.story import told
from tests.proof.world.world import World

PEOPLE = 170
POLICY = Policy(held_expiry_s=1_800)
MAX_BROKEN = 10
HORIZON_S = FAULTS_END_S + POLICY.held_expiry_s + POLICY.payment_expiry_s + 900.0


@dataclass
class Tally:
    """What many runs add up to."""

    orders: int = 0
    worlds: int = 0
    seconds: float = 0.0
    mails_twice: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[str]] = field(default_factory=dict)  # by seed

    def add(self, seed: str, world: World, broken: list[str]) -> None:
        self.worlds += 1
        self.orders += sum(isinstance(event, Order.Requested) for _, event in world.log.events)
        accepted = (sum(m.status == "sent" for m in messages) for messages in world.mailbox.messages.values())
        self.mails_twice += sum(number > 1 for number in accepted)
        self.seen.update(world.seen)
        if broken:
            self.broken[seed] = broken

    def __str__(self) -> str:
        return (
            f"{len(self.broken)} violations in {self.orders:,} simulated orders, "
            f"{self.orders / max(self.seconds, 1e-9):,.0f} orders/s of CPU, {self.mails_twice} confirmed more than once"
        )


def must_be_seen() -> list[str]:
    """Every kind of fault: a simulation that has missed one proves nothing about it."""
    return [
        *(f"charge: {kind}" for kind in ChargeFault),
        *(f"insert: {kind}" for kind in (*InsertFault, "conflict")),
        *(f"{what}: {kind}" for what in ("void", "refund") for kind in CorrectionFault),
        *(f"{what}: {reason}" for what in ("lookup", "search") for reason in LOOKUP_REASONS),
        *(f"mail: {kind}" for kind in MailFault),
        *("database: down", "process: killed", "process: frozen", "stranger: charge"),
        *("operator: void", "operator: refund"),
        *(f"answer: {told}" for told in ("action-successful", "duplicate-payment", "promotion-expended")),
        *(f"answer: {told}" for told in ("invalid-promotion", "card-expired", "mandrill-email-failed")),
        *(f"answer: external-application-error {detail}" for detail in ("payment-outcome-unknown", "not-sent-in-time")),
        "answer: connection lost",
    ]


# --- running ----------------------------------------------------------------------------------------------------------


def simulate(seed: str, people: int = PEOPLE) -> World:
    """One world, from its first order to its rest."""
    plan = SeededPlan(seed)
    settings = Settings(
        seed=f"simulation/{seed}", shuffle=True, skew_s=0.5, reconcile_s=120.0, settle_s=400.0, policy=POLICY
    )
    world = World(plan, settings, MemoryStore())
    plan.now_s = world.loop.time
    world.faults_end_s = FAULTS_END_S
    for name in PROCESSES:
        world.start(name)
    for number in range(people):
        world.start_task(client(world, number, Random(f"{seed}/{number}")))
    world.start_task(operator(world, Random(f"{seed}/operator")))
    world.start_task(misfortune(world, Random(f"{seed}/misfortune")))
    world.keep_settling()
    world.run(HORIZON_S)
    return world


def run_many(first_seed: int, orders: int, *, progress: bool = False) -> Tally:
    """One world after another until so many orders were requested. Stops at ten seeds that break something."""
    tally = Tally()
    began = time.process_time()
    while tally.orders < orders and len(tally.broken) < MAX_BROKEN:
        seed = str(first_seed + tally.worlds)
        world = simulate(seed)
        tally.add(seed, world, violations(world))
        tally.seconds = time.process_time() - began
        if progress and tally.worlds % 50 == 0:
            sys.stderr.write(f"{tally}\n")
    return tally


def story(seed: str) -> str:
    """The seed once more, step by step."""
    world = simulate(seed)
    return "\n".join([f"seed {seed}", *told(world), *violations(world)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.simulate")
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first world; the next ones count on")
    parser.add_argument("--digest", action="store_true", help="only that of the log and the story of the seed")
    parser.add_argument("--story", action="store_true", help="only the story of the seed")
    wanted = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # the workers log every fault that they meet
    if wanted.digest:
        sys.stdout.write(simulate(str(wanted.seed)).digest() + "\n")
        return 0
    if wanted.story:
        sys.stdout.write(story(str(wanted.seed)) + "\n")
        return 0
    tally = run_many(wanted.seed, wanted.orders, progress=True)
    missed = [what for what in must_be_seen() if not tally.seen[what]]
    lines = [f"{times:10,}  {what}" for what, times in sorted(tally.seen.items())]
    lines.append("every kind of fault was hit" if not missed else f"never hit: {', '.join(missed)}")
    lines += [story(seed) for seed in list(tally.broken)[:1]]
    sys.stdout.write("\n".join([*lines, str(tally), ""]))
    return 1 if tally.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())

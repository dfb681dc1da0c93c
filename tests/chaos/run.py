"""One chaos run: real processes, real PostgreSQL, bad weather; then calm, and the verdict of the vendors' ledgers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from api.settings import Settings
from tests.chaos.clients import Clients
from tests.chaos.fleet import FLEETS, Fleet
from tests.chaos.history import read_history
from tests.chaos.judge import Evidence, Violation, violations
from tests.chaos.launcher import Launch
from tests.chaos.postgres import Postgres, postgres
from tests.chaos.processes import Starter, prepare
from tests.chaos.proxy import Connect, Proxy, Streams, Weather, proxy
from tests.chaos.report import Report
from tests.chaos.vendors import VendorLimits, Vendors, vendors
from tests.chaos.world import PROMOTIONS, a_directory, environ, import_directory, recipients

CLIENTS = 6
PROMOTIONS_PER_S = 6
READY_LIMIT_S = 60.0
RESOLVE_LIMIT_S = 90.0
LOOK_S = 0.5

# The one assumption about the world: a charge lands at the gateway, if ever, within ORDERS_PAYMENT_EXPIRY_S of the
# intent. Guard, longest pause of a process, longest delay and the sandbox's lateness add up to less, unless `late_s`
# is made longer: then charges land for orders that have ended, and must be taken back.
SETTINGS = {
    "GATEWAY_DEADLINE_S": "1",
    "PAYMENT_EXPIRY_S": "4",
    "HELD_EXPIRY_S": "2",
    "RECOVERY_INTERVAL_S": "0.3",
    "LOG_LEVEL": "warning",
}
POLICY = {"send_guard_s": 0.5, "charge_time_s": 2.5, "email_guard_s": 0.5, "outbox_begins_s": 3.0}
PAUSES_S = (0.3, 1.0)
DOWN_S = (0.0, 0.5)
WEATHER = {
    "gateway": Weather(rate=0.12, longest_delay_s=0.5, swallow_s=2.0),
    "mail": Weather(rate=0.12, longest_delay_s=0.5, swallow_s=2.0),
    "database": Weather(rate=0.002, longest_delay_s=0.3, swallow_s=2.0),
    "clients": Weather(rate=0.06, longest_delay_s=0.3, swallow_s=2.0),
}
TROUBLES = ("kill -9", "kill -9", "pause", "PostgreSQL crash", "settlement")


@dataclass(frozen=True)
class Plan:
    seconds: float
    seed: int
    folder: Path  # for logs; made, and left
    pauses_s: tuple[float, float] = (0.5, 2.5)  # between two troubles
    late_s: float = 0.6  # until the charges of `approved-late` land; beyond PAYMENT_EXPIRY_S the assumption is broken


@dataclass
class Chaos:
    """Everything that runs, while it runs."""

    plan: Plan
    chance: Random
    postgres: Postgres
    vendors: Vendors
    proxies: dict[str, Proxy]
    fleet: Fleet
    clients: Clients
    troubles: Counter[str] = field(default_factory=Counter)

    async def trouble(self, over: Callable[[], bool]) -> None:
        """Kill, pause and crash, one after the other, from a shuffled deck, until it is over; a deck is played out."""
        deck: list[str] = []
        while deck or not over():
            await asyncio.sleep(self.chance.uniform(*self.plan.pauses_s))
            deck = deck or self.chance.sample(TROUBLES, len(TROUBLES))
            kind = deck.pop()
            match kind:
                case "pause":
                    await self.fleet.pause_one(self.chance.uniform(*PAUSES_S))
                case "PostgreSQL crash":
                    await asyncio.to_thread(self.postgres.crash_and_start, self.chance.uniform(*DOWN_S))
                case "settlement":
                    await asyncio.to_thread(self.vendors.settle)
                case _:
                    self.fleet.kill_one()
            self.troubles[kind] += 1

    async def evidence(self) -> Evidence:
        return Evidence(
            history=await read_history(self.postgres.url),
            transactions=await asyncio.to_thread(self.vendors.transactions),
            messages=await asyncio.to_thread(self.vendors.messages),
            told=list(self.clients.told),
            recipients=recipients(a_directory()),
            duplicate_window_s=Settings().duplicate_window_s,
        )


async def run(plan: Plan) -> tuple[Report, Evidence]:
    """The whole run. Raises TimeoutError where the product does not even start."""
    async with _standing(plan) as chaos:
        async with asyncio.timeout(READY_LIMIT_S):
            await _until_ready(chaos)
        await _storm(chaos)
        calm_at = time.monotonic()
        async with asyncio.timeout(READY_LIMIT_S):
            await _until_ready(chaos)
        await chaos.clients.ask_again()
        evidence, broken = await _resolved(chaos, calm_at)
        after_s = time.monotonic() - calm_at
        return _report(chaos, evidence, broken, after_s if not broken else None), evidence


async def _storm(chaos: Chaos) -> None:
    ends_at = time.monotonic() + chaos.plan.seconds
    over = asyncio.Event()  # once the last trouble is over, too

    async def trouble() -> None:
        try:
            await chaos.trouble(lambda: time.monotonic() > ends_at)
        finally:
            over.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(trouble())
        tasks.create_task(chaos.clients.order_until(over.is_set, CLIENTS))
    for each in chaos.proxies.values():
        each.become_calm()


async def _until_ready(chaos: Chaos) -> None:
    while not chaos.fleet.ready:
        await asyncio.sleep(0.05)


async def _resolved(chaos: Chaos, calm_at: float) -> tuple[Evidence, list[Violation]]:
    """Wait until no promise is open any more, a little longer than anything may be on its way, or to the limit."""
    while True:
        evidence = await chaos.evidence()
        broken = violations(evidence)
        waited_s = time.monotonic() - calm_at
        if (not broken and waited_s > chaos.plan.late_s + 1) or waited_s > RESOLVE_LIMIT_S:
            return evidence, broken
        await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def _standing(plan: Plan) -> AsyncIterator[Chaos]:
    """Put everything up; the database, then the vendors, then the networks, then the product; and down again."""
    prepare()
    plan.folder.mkdir(parents=True, exist_ok=True)
    chance = Random(plan.seed)  # to be repeatable, not to be secret
    commands = chance.choice(FLEETS)
    launch = Launch((), {}, POLICY)
    fleet = Fleet(Starter(launch, plan.folder), commands, Random(chance.random()))
    with postgres() as database:
        promotions = PROMOTIONS + int(PROMOTIONS_PER_S * plan.seconds)
        await import_directory(database.url, a_directory(promotions), plan.folder)
        async with _network("clients", fleet.connect, chance) as front:
            front_url = f"http://127.0.0.1:{front.port}"
            with vendors(plan.folder / "vendors.txt", VendorLimits(plan.late_s, webhook_url=front_url)) as both:
                async with (
                    _network("gateway", _to(both.gateway), chance) as gateway,
                    _network("mail", _to(both.mail), chance) as mail,
                    _network("database", database.connect, chance) as store,
                ):
                    proxies = {"clients": front, "gateway": gateway, "mail": mail, "database": store}
                    fleet.starter = Starter(_launch(database, both, proxies), plan.folder)
                    clients = Clients(front_url, Random(chance.random()), promotions)
                    async with _running(fleet):
                        yield Chaos(plan, chance, database, both, proxies, fleet, clients)


def _launch(database: Postgres, both: Vendors, proxies: dict[str, Proxy]) -> Launch:
    """The product, with every way to the outside leading through a proxy."""
    gateway, mail = (
        urlsplit(url)._replace(netloc=f"127.0.0.1:{proxies[name].port}").geturl()
        for name, url in (("gateway", both.authorizenet_url), ("mail", both.mandrill_url))
    )
    return Launch((), environ(database.url_through(proxies["database"].port), gateway, mail, **SETTINGS), POLICY)


@asynccontextmanager
async def _network(name: str, connect: Connect, chance: Random) -> AsyncIterator[Proxy]:
    async with proxy(connect, WEATHER[name], Random(chance.random())) as made:
        yield made


@asynccontextmanager
async def _running(fleet: Fleet) -> AsyncIterator[None]:
    task = asyncio.create_task(fleet.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _to(url: str) -> Connect:
    async def connect() -> Streams:
        parts = urlsplit(url)
        return await asyncio.open_connection(parts.hostname, parts.port)

    return connect


def _report(chaos: Chaos, evidence: Evidence, broken: list[Violation], after_s: float | None) -> Report:
    charges = [row for row in evidence.transactions if row["type"] == "authCaptureTransaction"]
    messages = Counter((row["metadata"]["order_id"], row["email"]) for row in evidence.messages)
    return Report(
        seed=chaos.plan.seed,
        seconds=chaos.plan.seconds,
        folder=str(chaos.plan.folder),
        processes=tuple(" ".join(["orders", *command]) for command in chaos.fleet.commands),
        requests=chaos.clients.sent,
        lost_answers=chaos.clients.lost,
        answers=dict(chaos.clients.answers),
        troubles=dict(chaos.troubles),
        faults={
            f"{name}: {fault}": number for name, each in chaos.proxies.items() for fault, number in each.faults.items()
        },
        starts=chaos.fleet.starts,
        exits=dict(chaos.fleet.exits),
        orders=dict(Counter(str(order.state) for order in evidence.history.orders.values())),
        kept_charges=len(evidence.kept()),
        voided_charges=sum(row["status"] == "voided" for row in charges),
        refunds=sum(bool(row["refTransId"]) for row in evidence.transactions),
        emails=sum(messages.values()),
        emails_twice=sum(messages.values()) - len(messages),
        resolved_after_s=after_s,
        violations=tuple(broken),
    )

"""Who does what in a simulation: clients, an operator, and plain misfortune. All of it from the seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from application.commands import Outcome, SubmitOrder
from application.event_log import CommitUnknown, StoreUnavailable
from application.operations import NotPossible
from application.ports import ChargeRequest, LookupFailed
from application.ports import TransactionState as State
from domain.order import Order
from tests.proof.seeded_plan import SPAN_S
from tests.proof.world.examples import PROMOTIONS, card, order
from tests.proof.world.world import World

PROCESSES = ("P1", "P2", "P3")
CLIENTS = 85


async def client(world: World, number: int, random: Random) -> None:
    """One person who wants something, and how patient that person is."""
    await world.loop.sleep(random.uniform(0.0, SPAN_S))
    wanted = _wanted(random, number)
    ways = [_one_try, _double_click, _two_houses, _stubborn, _again_later]
    await random.choices(ways, [50, 15, 10, 25, 8])[0](world, wanted, random)


def _wanted(random: Random, number: int) -> SubmitOrder:
    of_client = random.randrange(1, CLIENTS)
    promotion = random.choices(PROMOTIONS, [6, 4, 2, 1])[0] if random.random() < 0.4 else None
    return order(
        f"req_{number}",
        of_client=of_client,
        house=random.randrange(1, 4),
        promotion=promotion,
        idempotency_key=f"key-{number}" if random.random() < 0.4 else None,
        request_digest=f"digest-{number}",
        payment_method=card(of_client, expired=random.random() < 0.01),
    )


async def _ask(world: World, command: SubmitOrder, random: Random) -> Outcome | None:
    return await world.ask(random.choice(PROCESSES), command)


async def _one_try(world: World, wanted: SubmitOrder, random: Random) -> Outcome | None:
    return await _ask(world, wanted, random)


async def _double_click(world: World, wanted: SubmitOrder, random: Random) -> None:
    """The same request twice, to two processes at nearly the same time."""
    world.start_task(_ask(world, wanted, random))
    await world.loop.sleep(random.choice((0.0, 0.001, 0.004, 0.1, 1.0)))
    await _ask(world, _again(wanted), random)


async def _two_houses(world: World, wanted: SubmitOrder, random: Random) -> None:
    """Two things at once with one promotion."""
    other = order(
        f"{wanted.request_id}x", of_client=wanted.client.id, house=random.randrange(4, 9), promotion=wanted.promotion
    )
    world.start_task(_ask(world, wanted, random))
    await _ask(world, other, random)


async def _stubborn(world: World, wanted: SubmitOrder, random: Random) -> None:
    """Asks again until it is told something definite; after a no with another card."""
    for _ in range(3):
        outcome = await _ask(world, wanted, random)
        if outcome is not None and outcome.status in ("declined-payment", "failed-payment"):
            other_card = card(wanted.client.id, 2)
            key = f"{wanted.idempotency_key}x" if wanted.idempotency_key else None
            wanted = _again(wanted, payment_method=other_card, idempotency_key=key)
        elif outcome is None or outcome.status in ("external-application-error", "application-crash"):
            wanted = _again(wanted)
        else:
            return
        await world.loop.sleep(random.choice((0.0, 0.5, 5.0, 30.0, 90.0)))


async def _again_later(world: World, wanted: SubmitOrder, random: Random) -> None:
    """Wants the very same thing a second time, as a new order."""
    await _ask(world, wanted, random)
    await world.loop.sleep(random.uniform(1.0, 200.0))
    await _ask(world, _again(wanted, idempotency_key=None), random)


def _again(wanted: SubmitOrder, **changes: object) -> SubmitOrder:
    return msgspec.structs.replace(wanted, request_id=f"{wanted.request_id}'", **changes)


async def operator(world: World, random: Random) -> None:
    """Takes charges of submitted orders back, before and after they settle."""
    for _ in range(16):
        await world.loop.sleep(random.uniform(5.0, SPAN_S / 8))
        process = world.processes[random.choice(PROCESSES)]
        settled = list(_submitted(world, State.SETTLED))[-20:]
        fresh = list(_submitted(world, State.CAPTURED))[-20:]
        for orders, what in ((fresh, process.operations.void), (settled, process.operations.refund)):
            if orders and not process.dead:
                reply = world.loop.create_future()
                process.replies[reply] = None
                process.spawn(_operate(world, what, random.choice(orders), reply))
                await reply


def _submitted(world: World, state: State) -> Iterator[UUID]:
    """Orders whose charge is in that state at the gateway."""
    transactions = world.ledger.transactions
    for _, event in world.log.events:
        if isinstance(event, Order.PaymentCharged) and transactions[event.transaction_id].state is state:
            yield event.originator_id


async def _operate(
    world: World, what: Callable[..., Awaitable[Order]], order_id: UUID, reply: asyncio.Future[Any]
) -> None:
    with suppress(NotPossible, StoreUnavailable, CommitUnknown, LookupFailed):
        await what(order_id, actor="operator:1", reason="a test", request="operation")
        world.note("operator", what.__name__)
    if not reply.done():
        reply.set_result(None)


async def misfortune(world: World, random: Random) -> None:
    """Kills and freezes processes, and lets a stranger charge through the same merchant account."""
    for number in range(10):
        await world.loop.sleep(random.uniform(5.0, SPAN_S / 6))
        process = world.processes[random.choice(PROCESSES)]
        match random.randrange(3):
            case 0:
                world.kill(process)
            case 1:
                world.freeze(process, random.choice((0.5, 6.0, 12.0, 40.0)))
            case _:
                request = ChargeRequest(f"STRANGER{number}" if number % 2 else "", 999, "91", "81", "")
                world.ledger.land(request, State.CAPTURED, world.loop.now_s, shows_after_s=0.0, promised=False)
                world.note("stranger", "charge")

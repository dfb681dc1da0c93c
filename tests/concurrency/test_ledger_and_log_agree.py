"""Many clients at once: no kept charge without a submitted order that names it, and no submitted order without one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.order import Order
from tests.concurrency.directory import DECLINED, PRICES_CENTS, body
from tests.concurrency.world import World, run, selling, statuses

CLIENTS = 30


def what_everybody_sends() -> list[Mapping[str, Any]]:
    """Each client orders four homes at different prices, one of them twice, and another with a bad card."""
    return [
        request
        for user in range(1, CLIENTS + 1)
        for request in (
            *(body(user, house, quantity=int(quantity)) for house, quantity in enumerate(PRICES_CENTS)),
            body(user, house=0, quantity=1),
            body(user, house=9, card=DECLINED),
        )
    ]


def test_the_gateways_ledger_and_our_answers_and_our_log_agree(database_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with selling(database_url, tmp_path, users=CLIENTS) as world:
            answers = await world.pay(*what_everybody_sends())

            assert statuses(answers) == {
                "action-successful": 4 * CLIENTS,
                "duplicate-payment": CLIENTS,
                "declined-payment": CLIENTS,
            }
            paid = [answer.order["payment"] for answer in answers if answer.status == "action-successful"]
            told = {(p["invoice_number"], p["transaction_id"], p["amount_cents"]) for p in paid}
            assert told == await kept(world)
            assert told == await in_the_log(world)
            assert len(told) == 4 * CLIENTS
            assert len(await world.mails()) == 4 * CLIENTS

    run(story())


async def kept(world: World) -> set[tuple[str, str, int]]:
    return {(row["invoiceNumber"], row["transId"], row["amount_cents"]) for row in await world.captured()}


async def in_the_log(world: World) -> set[tuple[str, str, int]]:
    """The charges of submitted orders; every stream is read back with versions 1, 2, 3 ... and none missing."""
    charges = set()
    for stream_id, events in (await world.log()).items():
        assert [event.originator_version for event in events] == list(range(1, len(events) + 1))
        if not isinstance(events[0], Order.Requested):
            continue
        order = Order.empty(stream_id)
        for event in events:
            event.mutate(order)
        if order.submitted_at is not None:
            assert order.payment is not None
            payment = order.payment
            charges.add((payment.invoice_number or "", payment.transaction_id or "", payment.amount_cents))
    return charges

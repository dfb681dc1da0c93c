"""Two server processes on one database: what one has begun, the other knows."""

from __future__ import annotations

import json
from pathlib import Path

from tests.concurrency import processes
from tests.concurrency.directory import body, written
from tests.concurrency.world import World, client, run, statuses, vendors_for

USERS = 30
IDENTICAL = 50


def test_over_two_processes_identical_orders_are_paid_once_and_one_code_serves_every_user(
    postgresql_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with vendors_for(postgresql_url) as (settings, vendors):
            imported = await processes.orders(settings, "directory", "import", str(written(USERS, tmp_path)), "--json")
            assert json.loads(imported)["sections"]["users"]["added"] == USERS
            async with processes.serving(settings, 2) as urls, client() as http:
                world = World(settings, vendors, http, urls)
                await of_50_identical_orders_one_is_paid(world)
                await one_code_serves_30_users_at_once(world)

    run(story())


async def of_50_identical_orders_one_is_paid(world: World) -> None:
    """The first is still waiting for its vendors while the others come."""
    await world.delay(100)

    answers = await world.pay(*[body(1, house=1)] * IDENTICAL)

    assert statuses(answers) == {"action-successful": 1, "duplicate-payment": IDENTICAL - 1}
    (winner,) = [answer for answer in answers if answer.status == "action-successful"]
    assert {answer.order["id"] for answer in answers} == {winner.order["id"]}
    assert max(answer.code for answer in answers) < 500
    assert all(answer.json["error"]["retry_after_seconds"] > 0 for answer in answers if answer is not winner)
    (charge,) = await world.captured()
    assert charge["invoiceNumber"] == winner.order["payment"]["invoice_number"]
    assert await world.charges_sent() == 1
    assert [mail["metadata"]["order_id"] for mail in await world.mails()] == [winner.order["id"]]


async def one_code_serves_30_users_at_once(world: World) -> None:
    await world.delay(0)

    answers = await world.pay(*(body(user, house=2, promotion="SPRING10") for user in range(1, USERS + 1)))

    assert statuses(answers) == {"action-successful": USERS}
    assert {answer.order["total_cents"] for answer in answers} == {3600}
    assert len(await world.captured()) == 1 + USERS

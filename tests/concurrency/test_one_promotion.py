"""One code at the same time: once per user, however many orders; for every user, however many users."""

from __future__ import annotations

from pathlib import Path

from domain.promotion import PromotionRedemption
from tests.concurrency.directory import body
from tests.concurrency.world import run, selling, statuses


def test_of_200_orders_at_once_of_one_user_one_redeems_the_promotion(database_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with selling(database_url, tmp_path, users=1) as world:
            answers = await world.pay(*(body(1, house, promotion="SPRING10") for house in range(200)))

            assert statuses(answers) == {"action-successful": 1, "promotion-expended": 199}
            (winner,) = [answer for answer in answers if answer.status == "action-successful"]
            (charge,) = await world.captured()
            assert (charge["amount_cents"], winner.order["total_cents"]) == (3600, 3600)
            assert await world.charges_sent() == 1
            redemptions = [
                type(event).__name__
                for events in (await world.log()).values()
                for event in events
                if isinstance(event, PromotionRedemption.Event)
            ]
            assert redemptions == ["Reserved", "Redeemed"]

    run(story())

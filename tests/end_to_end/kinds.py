"""An order of each kind that matters to those who look at orders."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.world import ED, UNREACHABLE_CLIENT, World


def orders_of_each_kind(world: World) -> dict[str, dict[str, Any]]:
    """Name → the order as the API answered."""
    sent = {
        "paid": world.body(),
        "with a promotion": world.body(promotion_code=world.promotion("TEN")),
        "nothing to pay": world.body(promotion_code=world.promotion("ALL")),
        "declined": world.body(payment_method_id=102),
        "held": world.body(payment_method_id=106),
        "keys refused": world.body(payment_method_id=108),
        "unknown": world.body(payment_method_id=114),
        "refused": world.body(promotion_code="NOPE"),
        "email fails": world.body({"client": UNREACHABLE_CLIENT}, token=ED),
    }
    orders = {name: world.pay(body).order for name, body in sent.items()}
    world.get("/api/v1/orders", ED, {"min_position": world.database.position()})  # so that the lists show them
    return orders

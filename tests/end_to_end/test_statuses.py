"""Every status that leaves an order behind: what is answered, where the order stands, and what the log holds.

Those that take two requests, another server or a broken store are in `test_statuses_in_context.py`, those that leave
nothing behind in `test_statuses_without_order.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.end_to_end.client import ORDERS
from tests.end_to_end.histories import CHARGED, DECLINED, FAILED, INTENT, PAID, REFUSED
from tests.end_to_end.world import ED, MIA, PLANOORDER, UNREACHABLE_CLIENT, World

GATEWAY_ERROR = "external-application-error"


@dataclass(frozen=True)
class Ending:
    """What is sent beside the ordinary, and how it must end."""

    what: str
    status: str
    code: int
    state: str
    events: tuple[str, ...]
    body: dict[str, Any] = field(default_factory=dict)
    order: dict[str, Any] = field(default_factory=dict)
    param: str | None = None
    detail: str | None = None
    gateway: tuple[str, str] | None = None
    charges: int = 0  # in the gateway's ledger, kept or not


def card(payment_method_id: int) -> dict[str, Any]:
    return {"payment_method_id": payment_method_id}


def promotion(code: str, **changes: Any) -> dict[str, Any]:
    return {"promotion_code": code, **changes}


CODE = "promotion_code"


ENDINGS = (
    Ending("paid", "action-successful", 200, "submitted", PAID, charges=1),
    Ending(
        "an application's token",
        "action-successful",
        200,
        "submitted",
        PAID,
        {"token": PLANOORDER},
        {"client": {"id": 12}},
        charges=1,
    ),
    Ending("no such promotion", "invalid-promotion", 400, "refused", REFUSED, promotion("NOPE"), param=CODE),
    Ending("a retired one", "invalid-promotion", 400, "refused", REFUSED, promotion("RETIRED"), param=CODE),
    Ending(
        "a promotion for others",
        "invalid-promotion",
        400,
        "refused",
        REFUSED,
        promotion("AGENT25", token=MIA),
        param=CODE,
    ),
    Ending("known to have expired", "card-expired", 400, "refused", REFUSED, card(190), param="payment_method_id"),
    Ending("expired", "card-expired", 400, "declined", DECLINED, card(104), gateway=("3", "8")),
    Ending("declined", "declined-payment", 400, "declined", DECLINED, card(102), gateway=("2", "2"), charges=1),
    Ending("no card number", "card-number-invalid", 400, "declined", DECLINED, card(103), gateway=("3", "6")),
    Ending("brand not taken", "failed-payment", 400, "declined", DECLINED, card(105), gateway=("3", "17")),
    Ending(
        "held for review",
        GATEWAY_ERROR,
        400,
        "payment_held",
        (*INTENT, "order.payment-held"),
        card(106),
        detail="payment-held-for-review",
        gateway=("4", "252"),
        charges=1,
    ),
    Ending(
        "a gateway error",
        GATEWAY_ERROR,
        400,
        "payment_failed",
        FAILED,
        card(110),
        detail="gateway-error",
        gateway=("3", "5"),
    ),
    Ending(
        "nobody knows",
        GATEWAY_ERROR,
        400,
        "payment_open",
        (*INTENT, "order.payment-outcome-unknown"),
        card(111),
        detail="payment-outcome-unknown",
        gateway=("3", "19"),
    ),
    Ending(
        "HTTP 500",
        GATEWAY_ERROR,
        400,
        "payment_open",
        (*INTENT, "order.payment-outcome-unknown"),
        card(118),
        detail="payment-outcome-unknown",
    ),
    Ending(
        "our keys refused",
        "invalid-payment-processor-api-keys",
        500,
        "payment_failed",
        (*INTENT, "order.payment-failed", "duplicate-window.closed", "notification.raised"),
        card(108),
    ),
    Ending(
        "no mail",
        "mandrill-email-failed",
        500,
        "submitted",
        (*INTENT, *CHARGED, "order.email-failed", "notification.raised"),
        {"token": ED},
        {"client": UNREACHABLE_CLIENT},
        charges=1,
    ),
)


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: f"{ending.status}: {ending.what}")
def test_every_ending_has_its_answer_its_state_and_its_events(world: World, ending: Ending) -> None:
    answer = world.pay(world.body(ending.order, **ending.body))

    answer.require_envelope(ending.status, ending.code)
    assert answer.order["state"] == ending.state
    assert world.database.events(answer.request_id) == ending.events
    assert answer.data["position"] <= world.database.position()
    if ending.status != "action-successful":
        codes = ending.gateway and {"response_code": ending.gateway[0], "reason_code": ending.gateway[1]}
        assert answer.error["gateway"] == codes
        assert (answer.error["param"], answer.error["detail"]) == (ending.param, ending.detail)
    if ending.state != "refused":
        assert len(world.charges(answer.order)) == ending.charges
    read = world.get(f"{ORDERS}/{answer.order['id']}", ED)
    assert read.order["state"] == ending.state
    assert read.order["id"] == answer.order["id"]

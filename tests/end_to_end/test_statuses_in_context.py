"""Statuses that take more than one request, another server or a broken store to come about."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.end_to_end.histories import CHARGED, INTENT, NOT_SENT, REFUSED
from tests.end_to_end.world import ADA, NOWHERE, World, eventually, on_postgresql_only

DECLINED_CARD, SILENT_CARD, EXPIRED_CARD = 102, 113, 190
GATEWAY_ERROR = "external-application-error"


def test_a_promotion_is_applied_then_expended(world: World) -> None:
    code = world.promotion("TEN")

    first = world.pay(world.body(promotion_code=code))
    first.require_envelope("action-successful", 200)
    assert (first.order["discount_cents"], first.order["total_cents"]) == (1850, 16650)
    assert [charge["amount_cents"] for charge in world.charges(first.order)] == [16650]
    reserved, redeemed = ("promotion-redemption.reserved",), ("promotion-redemption.redeemed",)
    requested, attempted, opened = INTENT
    intent = (requested, "order.promotion-applied", attempted, opened, *reserved)
    assert world.database.events(first.request_id) == (*intent, *CHARGED, *redeemed, "order.email-sent")

    second = world.pay(world.body(promotion_code=code.lower()))
    second.require_envelope("promotion-expended", 400)
    assert second.error["param"] == "promotion_code"
    assert second.order["state"] == "refused"
    assert world.database.events(second.request_id) == REFUSED


def test_a_declined_card_gives_the_promotion_back(world: World) -> None:
    code = world.promotion("TEN")
    body = world.body(promotion_code=code)

    declined = world.pay({**body, "payment_method_id": DECLINED_CARD})
    declined.require_envelope("declined-payment", 400)
    assert world.database.events(declined.request_id)[-1] == "promotion-redemption.released"

    world.pay(body).require_envelope("action-successful", 200)


def test_nothing_to_pay_touches_no_card(world: World) -> None:
    calls = world.charge_calls()

    answer = world.pay(world.body(promotion_code=world.promotion("ALL"), payment_method_id=EXPIRED_CARD))

    answer.require_envelope("action-successful", 200)
    assert (answer.order["state"], answer.order["payment"]["state"]) == ("submitted", "waived")
    waived = ("order.requested", "order.promotion-applied", "order.payment-waived", "order.submitted")
    assert world.database.events(answer.request_id)[:4] == waived
    assert world.charge_calls() == calls


def test_the_same_thing_again_shows_the_earlier_order(world: World) -> None:
    body = world.body()
    paid = world.pay(body)

    again = world.pay({**body, "payment_method_id": DECLINED_CARD})  # another card does not make it another thing

    again.require_envelope("duplicate-payment", 400)
    assert again.order == paid.order
    assert 100 < again.error["retry_after_seconds"] <= 120
    assert world.database.events(again.request_id) == REFUSED
    assert len(world.charges(paid.order)) == 1
    world.pay(world.body()).require_envelope("action-successful", 200)  # another home does


def test_a_gateway_that_does_not_answer_leaves_the_payment_open(world: World) -> None:
    body = world.body(payment_method_id=SILENT_CARD)
    with world.server(gateway_deadline_s=0.3) as impatient:
        answer = impatient.pay(body)

    answer.require_envelope(GATEWAY_ERROR, 400)
    assert answer.error["detail"] == "payment-outcome-unknown"
    assert answer.order["payment"]["state"] == "unknown"
    assert "Do not pay again" in answer.json["message"]
    assert world.database.events(answer.request_id) == (*INTENT, "order.payment-outcome-unknown")

    again = world.pay({**body, "payment_method_id": 101})
    again.require_envelope("duplicate-payment", 400)
    assert again.error["retry_after_seconds"] > 120
    assert again.order["id"] == answer.order["id"]


def test_a_gateway_out_of_reach_is_a_definite_no(world: World) -> None:
    body = world.body()
    with world.server(authorizenet_url=NOWHERE) as cut_off:
        answer = cut_off.pay(body)

    answer.require_envelope(GATEWAY_ERROR, 400)
    assert answer.error["detail"] == "gateway-unreachable"
    assert (answer.order["state"], answer.order["payment"]["state"]) == ("payment_failed", "not_sent")
    assert world.database.events(answer.request_id) == NOT_SENT
    world.pay(body).require_envelope("action-successful", 200)


def test_one_order_too_many_at_once_is_turned_away_and_writes_nothing(world: World) -> None:
    with world.server(most_under_way=1) as busy, ThreadPoolExecutor(1) as other, world.slow_gateway(250):
        calls = world.charge_calls()
        first = other.submit(busy.pay, world.body())
        eventually(lambda: world.charge_calls() > calls)
        second = busy.pay(world.body())

    second.require_envelope("server-overloaded", 503)
    assert second.error["retry_after_seconds"] == 1
    assert second.data is None
    assert world.database.events(second.request_id) == ()
    first.result().require_envelope("action-successful", 200)


@on_postgresql_only
def test_a_store_that_fails_after_the_charge_is_a_crash_with_an_open_payment(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    calls = world.charge_calls()
    body = world.body()
    with ThreadPoolExecutor(1) as other, world.slow_gateway(250):
        paying = other.submit(world.pay, body)
        eventually(lambda: world.charge_calls() > calls)
        with world.without("stored_events"):
            answer = paying.result()

    answer.require_envelope("application-crash", 500)
    assert world.database.events(answer.request_id) == INTENT
    assert "could not be stored" in caplog.text
    assert "Main Street" not in caplog.text
    assert ADA not in caplog.text
    again = world.pay(body)
    again.require_envelope("duplicate-payment", 400)
    assert again.order["state"] == "payment_open"
    assert len(world.charges(again.order)) == 1

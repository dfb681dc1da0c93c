"""The header Idempotency-Key: a repeat is answered with how the first ended, and charges nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.end_to_end.client import Answer
from tests.end_to_end.world import ADA, ADA_AGAIN, ED, MIA, PLANOORDER, UNREACHABLE_CLIENT, World, eventually

REPLAYED = "Idempotency-Replayed"
CLIENT_11 = {"client": {"id": 11}}


def told(answer: Answer) -> dict[str, Any]:
    """What an answer says of the order: all but the ids of the request and its place in the log."""
    content = answer.json
    return {**content, "request_id": None, "data": {"order": answer.order}}


def test_a_repeat_is_answered_with_the_same_order_and_charges_once(world: World) -> None:
    body = world.body()

    first = world.pay(body, Idempotency_Key="repeat-1")
    position = world.database.position()
    again = [world.pay(body, Idempotency_Key="repeat-1") for _ in range(3)]

    first.require_envelope("action-successful", 200)
    assert first.headers[REPLAYED] is None
    for answer in again:
        assert answer.headers[REPLAYED] == "true"
        assert told(answer) == told(first)
        assert answer.request_id != first.request_id
    assert len(world.charges(first.order)) == 1
    assert len(world.mails(first.order)) == 1
    assert world.database.position() == position


def test_token_and_views_may_differ_between_two_tries(world: World) -> None:
    body = world.body()
    first = world.pay(body, Idempotency_Key="views-1")

    again = world.pay({**body, "token": ADA_AGAIN, "view": "order_receipt"}, Idempotency_Key="views-1")

    assert again.headers[REPLAYED] == "true"
    assert again.order["id"] == first.order["id"]
    assert "version" not in again.order


def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    body = world.body()
    first = world.pay(body, Idempotency_Key="other-1")
    position = world.database.position()

    other = world.pay(world.body(), Idempotency_Key="other-1")
    dearer = world.pay({**body, "payment_method_id": 101}, Idempotency_Key="other-1")

    for answer in (other, dearer):
        answer.require_envelope("invalid-param", 400)
        assert answer.fault == ("invalid-param", "Idempotency-Key")
        assert answer.data is None
        assert answer.headers[REPLAYED] is None
    assert world.database.position() == position
    assert len(world.charges(first.order)) == 1


def test_a_repeat_waits_for_the_first_and_is_answered_alike(world: World) -> None:
    body = world.body()
    with ThreadPoolExecutor(3) as others, world.slow_gateway(250):
        calls = world.charge_calls()
        first = others.submit(world.pay, body, Idempotency_Key="slow-1")
        eventually(lambda: world.charge_calls() > calls)
        repeats = [others.submit(world.pay, body, Idempotency_Key="slow-1") for _ in range(2)]
        answers = [repeat.result() for repeat in repeats]

    first.result().require_envelope("action-successful", 200)
    for answer in answers:
        assert answer.headers[REPLAYED] == "true"
        assert told(answer) == told(first.result())
    assert len(world.charges(first.result().order)) == 1


def test_two_that_start_together_charge_once(world: World) -> None:
    body = world.body()
    with ThreadPoolExecutor(6) as together:
        answers = list(together.map(lambda _: world.pay(body, Idempotency_Key="race-1"), range(6)))

    assert {answer.status for answer in answers} == {"action-successful"}
    assert len({answer.order["id"] for answer in answers}) == 1
    assert [answer.headers[REPLAYED] for answer in answers].count(None) == 1
    assert len(world.charges(answers[0].order)) == 1


@pytest.mark.parametrize(
    ("key", "changes", "order", "status"),
    [
        ("declined-1", {"payment_method_id": 102}, {}, "declined-payment"),
        ("refused-1", {"promotion_code": "NOPE"}, {}, "invalid-promotion"),
        ("held-1", {"payment_method_id": 106}, {}, "external-application-error"),
        ("unknown-1", {"payment_method_id": 111}, {}, "external-application-error"),
        ("keys-1", {"payment_method_id": 108}, {}, "invalid-payment-processor-api-keys"),
        ("mail-1", {"token": ED}, {"client": UNREACHABLE_CLIENT}, "mandrill-email-failed"),
    ],
)
def test_every_ending_is_replayed(
    world: World, key: str, changes: dict[str, Any], order: dict[str, Any], status: str
) -> None:
    body = world.body(order, **changes)
    first = world.pay(body, Idempotency_Key=key)
    calls = world.charge_calls()

    again = world.pay(body, Idempotency_Key=key)

    assert first.status == status
    assert again.headers[REPLAYED] == "true"
    assert told(again) == told(first)
    assert world.charge_calls() == calls


def test_a_new_try_after_a_decline_takes_a_new_key(world: World) -> None:
    body = world.body(payment_method_id=102)
    declined = world.pay(body, Idempotency_Key="retry-1")

    with_new_key = world.pay({**body, "payment_method_id": 101}, Idempotency_Key="retry-2")

    assert declined.status == "declined-payment"
    with_new_key.require_envelope("action-successful", 200)


def test_a_refused_duplicate_is_replayed_with_the_earlier_order(world: World) -> None:
    body = world.body()
    paid = world.pay(body)

    duplicates = [world.pay(body, Idempotency_Key="duplicate-1") for _ in range(2)]

    assert [answer.status for answer in duplicates] == ["duplicate-payment"] * 2
    assert [answer.order["id"] for answer in duplicates] == [paid.order["id"]] * 2
    assert duplicates[1].headers[REPLAYED] == "true"


def test_a_key_belongs_to_who_uses_it(world: World) -> None:
    """The requester is part of it: a user in whatever session, or an application; never the token."""
    by_ada = world.pay(world.body(), Idempotency_Key="mine-1")
    by_mia = world.pay(world.body(token=MIA), Idempotency_Key="mine-1")
    by_application = world.pay(world.body(CLIENT_11, token=PLANOORDER), Idempotency_Key="mine-1")

    answers = (by_ada, by_mia, by_application)
    assert {answer.status for answer in answers} == {"action-successful"}
    assert len({answer.order["id"] for answer in answers}) == 3
    assert all(answer.headers[REPLAYED] is None for answer in answers)


@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 256, "umlaut-\xe4"])
def test_a_malformed_key_is_refused_and_writes_nothing(world: World, key: str) -> None:
    position = world.database.position()

    answer = world.pay(world.body(token=ADA), Idempotency_Key=key)

    answer.require_envelope("invalid-param", 400)
    assert answer.fault == ("invalid-param", "Idempotency-Key")
    assert world.database.position() == position


def test_a_key_is_looked_at_after_the_parameters(world: World) -> None:
    assert world.pay(world.body(view="all"), Idempotency_Key="two words").fault == ("invalid-param", "view")

"""A good request becomes a command, and its outcome an answer."""

from __future__ import annotations

import pytest

from api.schemas import ApplicationView, SessionView
from api.statuses import STATUSES
from application.commands import Outcome
from application.ports import GatewayCodes
from tests.api.world import ADA, ED, ORDER_ID, PLANOORDER, Api, a_body, an_order


def test_a_good_request_is_answered_with_the_order(api: Api) -> None:
    answered = api.pay(a_body())
    assert (answered.code, answered.status) == (200, "action-successful")
    assert answered.json["data"] == {"order": {"id": str(ORDER_ID)}, "position": 7}
    assert set(answered.json) == {"status", "code", "message", "data", "request_id"}
    assert answered.headers["X-Request-Id"] == answered.json["request_id"]
    assert answered.headers["Cache-Control"] == "no-store"


def test_the_command_holds_what_was_asked_for(api: Api) -> None:
    api.pay(a_body(promotion_code="SPRING10", order=an_order(notes="Call first", metadata={"ref": "7"})))
    (command,) = api.world.commands
    assert command.requester.id == "user:1"
    assert (command.requester.application, command.requester.role) == ("planoorder", "client")
    assert command.client.id == 11
    assert [(s.service.slug, s.quantity) for s in command.services] == [("photos", 15)]
    assert command.property_info["address"]["postal_code"] == "01234"
    assert command.property_access is not None
    assert command.property_access["access_code"] == "0042"
    assert (command.notes, command.metadata, command.promotion_code) == ("Call first", {"ref": "7"}, "SPRING10")
    assert command.payment_method is not None
    assert command.payment_method.id == 101


def test_a_body_keeps_its_digest_when_only_token_views_and_key_order_change(api: Api) -> None:
    body = a_body()
    api.pay(body)
    api.pay({"session_view": "default", "view": "order_read", "order": body["order"]}, Authorization=f"Bearer {ADA}")
    api.pay(a_body(promotion_code="SPRING10"))
    first, same, other = (command.request_digest for command in api.world.commands)
    assert first == same != other


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_every_outcome_is_answered_with_its_code(api: Api, status: str) -> None:
    api.world.outcome = Outcome(status, ORDER_ID, detail="a-detail", gateway=GatewayCodes("2", "27"))
    answered = api.pay(a_body())
    assert (answered.code, answered.status) == (STATUSES[status].code, status)
    assert answered.json["data"]["order"] == {"id": str(ORDER_ID)}
    if status != "action-successful":
        assert answered.json["error"]["gateway"] == {"response_code": "2", "reason_code": "27"}
        assert answered.detail == "a-detail"
    assert ("Retry-After" in answered.headers) == (answered.code in {429, 503})


def test_a_duplicate_payment_says_when_to_come_back(api: Api) -> None:
    api.world.outcome = Outcome("duplicate-payment", ORDER_ID, retry_after_seconds=77)
    answered = api.pay(a_body())
    assert answered.headers["Retry-After"] == "77"
    assert answered.json["error"]["retry_after_seconds"] == 77


def test_an_unknown_outcome_tells_people_not_to_pay_again(api: Api) -> None:
    api.world.outcome = Outcome("external-application-error", ORDER_ID, detail="payment-outcome-unknown")
    message = api.pay(a_body()).json["message"]
    assert "Do not pay again" in message
    assert "/api/v1/orders/{id}" in message


def test_a_replayed_outcome_carries_its_header(api: Api) -> None:
    api.world.outcome = Outcome("action-successful", ORDER_ID, replayed=True)
    assert api.pay(a_body(), Idempotency_Key="k-1").headers["Idempotency-Replayed"] == "true"
    assert api.world.commands[0].idempotency_key == "k-1"


@pytest.mark.parametrize("key", ["", "with space", "k" * 256, "ünïcode"])
def test_an_idempotency_key_is_1_to_255_visible_ascii_characters(api: Api, key: str) -> None:
    assert api.pay(a_body(), Idempotency_Key=key).fault == ("invalid-param", "Idempotency-Key")


def test_views_of_session_and_application_come_when_they_are_asked_for(api: Api) -> None:
    answered = api.pay(a_body(session_view="session_read", application_view="default", view="order_receipt"))
    session = SessionView.model_validate(answered.json["session"])
    assert (session.user_id, session.email) == (1, "user1@example.com")
    assert ApplicationView.model_validate(answered.json["application"]).slug == "planoorder"
    assert api.world.rendered[0][0] == "order_receipt"
    assert ADA not in answered.body.decode()


def test_views_also_come_with_an_error(api: Api) -> None:
    answered = api.pay(a_body(session_view="default", order={}))
    assert answered.status == "missing-param"
    assert answered.json["session"]["user_id"] == 1


def test_an_application_token_has_no_session_to_show(api: Api) -> None:
    answered = api.pay(a_body(PLANOORDER, session_view="default", order=an_order(client={"id": 12})))
    assert answered.status == "action-successful"
    assert answered.json["session"] is None


def test_the_reader_of_the_answer_is_the_requester(api: Api) -> None:
    api.pay(a_body(ED, order=an_order(client={"id": 11})))
    ((_, reader),) = api.world.rendered
    assert (reader.requester.id, reader.requester.role, reader.sees_all_clients) == ("user:2", "employee", True)

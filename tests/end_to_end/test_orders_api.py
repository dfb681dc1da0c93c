"""One order as its readers see it: the views, an earlier instant, its events, and who may see it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.client import ORDERS, Answer
from tests.end_to_end.world import ADA, ED, FAY, LEE, MIA, NORA, OLD, PLANOAUTH, PLANOORDER, World, a_body, an_address

DEFAULT = {
    "id", "number", "state", "client", "lines", "subtotal_cents", "discount_cents", "total_cents", "currency",
    "promotion", "payment", "email", "requested_at", "submitted_at", "version",
}  # fmt: skip
PAYMENT = {
    "state", "reason", "payment_method_id", "brand", "last4", "amount_cents", "invoice_number", "transaction_id",
    "authorization_code",
}  # fmt: skip
READ = DEFAULT | {"property", "property_access", "appointments", "instructions", "metadata"}
RECEIPT = (DEFAULT - {"version", "email"}) | {"property"}
UNKNOWN_ID = "0198f0aa-0000-7000-8000-000000000001"
APPOINTMENT = {"start_datetime": "2032-05-01T09:00:00-06:00", "end_datetime": "2032-05-01T11:00:00-06:00"}


def a_full_order(world: World) -> tuple[Answer, dict[str, Any]]:
    """An order that uses every part of the request, and its body."""
    order = {
        "primary_service": {"slug": "photos", "quantity": 15, "service_instructions": "Please include the garden."},
        "add_on_services": [{"slug": "twilight_photography_add_on", "quantity": 1}],
        "appointments": [APPOINTMENT],
        "notes": "Ring twice.",
        "metadata": {"ref": "A-7"},
    }
    body = world.body(order, promotion_code=world.promotion("TEN"))
    answer = world.pay(body)
    answer.require_envelope("action-successful", 200)
    return answer, body


def test_the_default_view_has_the_shape_of_the_contract(world: World) -> None:
    answer, _ = a_full_order(world)

    order, charge = answer.order, world.charges(answer.order)[0]
    assert set(order) == DEFAULT
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", order["number"])
    assert order["client"] == {"id": 11, "name": "Ada Agent Realty"}
    assert order["lines"] == [
        {"slug": "photos", "name": "Photos", "kind": "primary", "quantity": 15}
        | {"base_price_cents": 18500, "discount_cents": 1850, "net_price_cents": 16650},
        {"slug": "twilight_photography_add_on", "name": "Twilight Photography", "kind": "add_on", "quantity": 1}
        | {"base_price_cents": 12500, "discount_cents": 1250, "net_price_cents": 11250},
    ]
    assert (order["subtotal_cents"], order["discount_cents"], order["total_cents"]) == (31000, 3100, 27900)
    assert order["currency"] == "USD"
    assert order["promotion"] == {"code": order["promotion"]["code"], "discount_cents": 3100}
    assert order["email"] == {"state": "sent"}
    assert set(order["payment"]) == PAYMENT
    assert order["payment"] == {
        "state": "charged",
        "reason": None,
        "payment_method_id": 101,
        "brand": "Visa",
        "last4": "1111",
        "amount_cents": 27900,
        "invoice_number": charge["invoiceNumber"],
        "transaction_id": charge["transId"],
        "authorization_code": charge["authCode"],
    }
    assert charge["amount_cents"] == 27900
    requested, submitted = (datetime.fromisoformat(order[name]) for name in ("requested_at", "submitted_at"))
    assert order["requested_at"].endswith("Z")
    assert timedelta() <= submitted - requested < timedelta(seconds=20)
    assert isinstance(order["version"], int)


def test_the_view_order_read_adds_what_the_client_sent(world: World) -> None:
    answer, body = a_full_order(world)

    order = world.get(f"{ORDERS}/{answer.order['id']}", ADA, {"view": "order_read"}).order

    assert set(order) == READ
    assert {name: order[name] for name in DEFAULT} == answer.order
    assert order["property"] == body["order"]["property_info"]
    assert order["property_access"] == body["order"]["property_access"]
    assert order["appointments"] == [APPOINTMENT]
    assert order["instructions"] == {"services": {"photos": "Please include the garden."}, "notes": "Ring twice."}
    assert order["metadata"] == {"ref": "A-7"}


def test_the_view_order_receipt_is_what_the_email_shows(world: World) -> None:
    answer, body = a_full_order(world)

    order = world.get(f"{ORDERS}/{answer.order['id']}", ADA, {"view": "order_receipt"}).order

    assert set(order) == RECEIPT
    assert order["property"] == {"address": body["order"]["property_info"]["address"]}
    (mail,) = world.mails(order)
    assert order["number"] in mail["subject"]
    assert mail["email"] == "orders@ada.example.com"
    assert set(mail["metadata"]) == {"order_id", "email_id"}
    assert len(mail["tags"]) == 1


@pytest.mark.parametrize(("view", "fields"), [("default", DEFAULT), ("order_read", READ), ("order_receipt", RECEIPT)])
def test_pay_and_submit_answers_in_the_view_asked_for(world: World, view: str, fields: set[str]) -> None:
    assert set(world.pay(world.body(view=view)).order) == fields


def test_session_and_application_are_shown_when_their_view_is_asked_for(world: World) -> None:
    body = world.body(session_view="session_read", application_view="application_read", application="planox2")

    answer = world.pay(body)

    answer.require_envelope("action-successful", 200, views=frozenset({"session", "application"}))
    session, application = answer.json["session"], answer.json["application"]
    assert (session["user_id"], session["email"]) == (1, "ada@example.com")
    assert session["roles"] == [{"role": "client", "client_id": 11}]
    assert set(application) == {"slug", "name", "roles", "permissions"}
    assert application["slug"] == "planox2"
    assert ADA not in answer.text


def test_each_additional_recipient_gets_a_message_of_its_own(world: World) -> None:
    answer = world.pay(world.body(token=MIA))

    mails = world.mails(answer.order)
    assert sorted(mail["email"] for mail in mails) == ["desk@mia.example.com", "orders@mia.example.com"]
    assert len({mail["metadata"]["email_id"] for mail in mails}) == 2


def test_an_order_can_be_read_as_it_was(world: World) -> None:
    order = world.pay(world.body()).order
    path = f"{ORDERS}/{order['id']}"
    events = world.get(f"{path}/events", ADA).data["events"]
    began, charged = (datetime.fromisoformat(events[index]["recorded_at"]) for index in (0, 2))

    then = world.get(path, ADA, {"at": began.isoformat()}).order
    assert (then["state"], then["payment"]["state"], then["version"]) == ("payment_open", "attempted", 2)
    later = world.get(path, ADA, {"at": charged.isoformat()}).order
    assert (later["state"], later["email"]) == ("submitted", {"state": "pending"})
    assert world.get(path, ADA).order == order
    before = world.get(path, ADA, {"at": (began - timedelta(seconds=1)).isoformat()})
    assert before.fault == ("invalid-param", "id")
    assert world.get(path, ADA, {"at": "2032-05-01T09:00:00"}).fault == ("invalid-param", "at")


def test_the_events_of_an_order_hold_no_personal_data(world: World) -> None:
    answer, body = a_full_order(world)

    read = world.get(f"{ORDERS}/{answer.order['id']}/events", ADA)

    read.require_envelope("action-successful", 200)
    events = read.data["events"]
    assert [event["name"] for event in events] == [
        "Requested", "PromotionApplied", "PaymentAttempted", "PaymentCharged", "Submitted", "EmailSent",
    ]  # fmt: skip
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert {event["correlation_id"] for event in events} == {answer.request_id}
    assert {event["actor"] for event in events} == {"user:1"}
    assert all(event["topic"].startswith("order.") and event["topic"].endswith(".v1") for event in events)
    sent = body["order"]
    access, address = sent["property_access"], sent["property_info"]["address"]
    for personal in (access["onsite_contact_phone"], address["street"], sent["notes"], "garden", "ada.example.com"):
        assert personal not in read.text
    assert "personal" not in read.text
    assert "ciphertext" not in read.text


@pytest.mark.parametrize("route", ["", "/events"])
def test_a_foreign_order_is_answered_like_one_that_does_not_exist(world: World, route: str) -> None:
    order = world.pay(world.body()).order

    answers = [world.get(f"{ORDERS}/{order_id}{route}", MIA) for order_id in (order["id"], UNKNOWN_ID, "nonsense")]

    for answer in answers:
        answer.require_envelope("invalid-param", 400)
        assert answer.error == {"param": "id", "detail": None, "gateway": None, "retry_after_seconds": None}
        assert answer.json | {"request_id": ""} == answers[0].json | {"request_id": ""}


def test_who_may_read_an_order(world: World) -> None:
    order = world.pay(world.body()).order
    path = f"{ORDERS}/{order['id']}"

    for token in (ADA, ED, LEE, PLANOORDER):
        assert world.get(path, token).order == order
    refused = {
        None: ("missing-param", "token"),
        "nobody": ("invalid-token", None),
        OLD: ("session-expired", None),
        NORA: ("client-required", None),
        FAY: ("client-required", None),
        PLANOAUTH: ("invalid-param", "application"),
    }
    assert {token: world.get(path, token).fault for token in refused} == refused


def test_reading_takes_no_parameter_that_it_does_not_know(world: World) -> None:
    path = f"{ORDERS}/{UNKNOWN_ID}"

    assert world.get(path, ED, {"view": "everything"}).fault == ("invalid-param", "view")
    assert world.get(path, ED, {"colour": "blue"}).fault == ("invalid-param", "query")
    assert world.get(path, ED, {"token": ED}).fault == ("invalid-param", "query")  # never in a URL
    assert world.get(path, ED, {"application": "planoauth"}).fault == ("invalid-param", "application")


def test_an_order_for_another_home_at_the_same_price_is_another_order(world: World) -> None:
    one = world.pay(world.body({"property_info": {"address": an_address(street2="Unit 1")}}))
    other = world.pay(world.body({"property_info": {"address": an_address(street2="Unit 2")}}))

    assert (one.status, other.status) == ("action-successful", "action-successful")
    assert one.order["id"] != other.order["id"]
    shouted = a_body(1, {"property_info": {"address": an_address(street="1 MAIN STREET.", street2="unit 1")}})
    assert world.pay(shouted).order["id"] == one.order["id"]

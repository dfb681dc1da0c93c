"""Malformed requests: which parameter is named, that its value is never repeated, and that nothing is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.end_to_end.world import ADA, ED, FAY, MIA, PLANOAUTH, PLANOORDER, World, a_body, an_access, an_address

START, END = "2032-05-01T09:00:00-06:00", "2032-05-01T11:00:00-06:00"
TWILIGHT = {"slug": "twilight_photography_add_on", "quantity": 1}
STAGING = {"slug": "ai_virtual_staging", "quantity": 1}
UNKNOWN_ID = "0198f0aa-0000-7000-8000-0000feedbeef"
CANARY = "kumquat"
LONG = CANARY + "x" * 1000

Case = tuple[dict[str, Any], str | None]


def ordered(**changes: Any) -> dict[str, Any]:
    return a_body(1, changes)


def prop(**changes: Any) -> dict[str, Any]:
    return ordered(property_info={"address": an_address(), **changes})


def addressed(**changes: Any) -> dict[str, Any]:
    return prop(address=an_address(**changes))


def access(**changes: Any) -> dict[str, Any]:
    return ordered(property_access=an_access(**changes))


def primary(**changes: Any) -> dict[str, Any]:
    service = {"slug": "photos", "quantity": 15, **changes}
    return ordered(primary_service={name: value for name, value in service.items() if value is not None})


def add_ons(*services: Any) -> dict[str, Any]:
    return ordered(add_on_services=list(services))


def appointed(**changes: Any) -> dict[str, Any]:
    return ordered(appointments=[{"start_datetime": START, "end_datetime": END, **changes}])


MISSING: list[Case] = [
    (primary(slug=None), "order.primary_service.slug"),
    (primary(quantity=None), "order.primary_service.quantity"),
    (ordered(primary_service=None), "order.primary_service"),
    (ordered(property_info=None), "order.property_info"),
    (ordered(property_access=None), "order.property_access"),
    (addressed(postal_code=None), "order.property_info.address.postal_code"),
    (access(vacant=None), "order.property_access.vacant"),
    (access(method_of_access=None), "order.property_access.method_of_access"),
    (access(access_code=None), "order.property_access.access_code"),
    (access(method_of_access="keypad", access_code=None), "order.property_access.access_code"),
    (access(lockbox_location=None), "order.property_access.lockbox_location"),
    (access(onsite_contact_phone=None), "order.property_access.onsite_contact_phone"),
    (add_ons(STAGING), "order.add_on_services[0].previous_order_id"),
    (a_body(1, token=ED), "order.client"),
    (a_body(1, token=PLANOORDER), "order.client"),
]

INVALID: list[Case] = [
    (primary(slug=CANARY), "order.primary_service.slug"),
    (primary(slug=TWILIGHT["slug"], quantity=1), "order.primary_service.slug"),
    (primary(quantity=98765), "order.primary_service.quantity"),
    (primary(quantity="98765"), "order.primary_service.quantity"),
    (primary(service_instructions=LONG), "order.primary_service.service_instructions"),
    (add_ons(TWILIGHT, {"slug": CANARY, "quantity": 1}), "order.add_on_services[1].slug"),
    (add_ons(TWILIGHT, TWILIGHT), "order.add_on_services[1].slug"),
    (add_ons({**TWILIGHT, "quantity": 98765}), "order.add_on_services[0].quantity"),
    (add_ons({**STAGING, "previous_order_id": UNKNOWN_ID}), "order.add_on_services[0].previous_order_id"),
    (add_ons({**STAGING, "previous_order_id": CANARY}), "order.add_on_services[0].previous_order_id"),
    (prop(price="98765"), "order.property_info.price"),
    (prop(bathrooms=98765.25), "order.property_info.bathrooms"),
    (prop(property_type=CANARY), "order.property_info.property_type"),
    (addressed(postal_code=98765), "order.property_info.address.postal_code"),
    (addressed(country=CANARY), "order.property_info.address.country"),
    (addressed(city=LONG), "order.property_info.address.city"),
    (access(vacant=CANARY), "order.property_access.vacant"),
    (access(vacant=False), "order.property_access.method_of_access"),
    (access(method_of_access=CANARY), "order.property_access.method_of_access"),
    (access(method_of_access="no_access_needed"), "order.property_access.method_of_access"),
    (access(access_code=LONG), "order.property_access.access_code"),
    (access(lockbox_location=LONG), "order.property_access.lockbox_location"),
    (access(onsite_contact_email=CANARY), "order.property_access.onsite_contact_email"),
    (access(onsite_contact_email=f"{LONG}@example.com"), "order.property_access.onsite_contact_email"),
    (access(preferred_date="2031-02-29"), "order.property_access.preferred_date"),
    (appointed(start_datetime="2032-05-01T09:00:00"), "order.appointments[0].start_datetime"),
    (appointed(end_datetime="2032-05-01T14:59:59Z"), "order.appointments[0].end_datetime"),
    (appointed(duration=98765), "order.appointments[0].duration"),
    (ordered(notes=LONG), "order.notes"),
    (ordered(metadata={f"{CANARY}{number}": "" for number in range(5)}), "order.metadata"),
    (ordered(metadata={"k" * 61: CANARY}), "order.metadata"),
    (ordered(metadata={f"no {CANARY}": ""}), "order.metadata"),
    (ordered(metadata={"ref": LONG}), "order.metadata.ref"),
    (ordered(surprise=CANARY), "order.surprise"),
    (a_body(1, surprise=CANARY), "surprise"),
    (a_body(1) | {"4111111111111111": CANARY}, None),
    (a_body(1, view=CANARY), "view"),
    (a_body(1, session_view=CANARY), "session_view"),
    (a_body(1, application_view=CANARY), "application_view"),
    (a_body(1, application=CANARY), "application"),
    (a_body(1, application="planoauth"), "application"),
    (a_body(1, {"client": {"id": 11}}, token=PLANOAUTH), "application"),
    (a_body(1, payment_method_id=98765), "payment_method_id"),
    (a_body(1, payment_method_id=201), "payment_method_id"),
    (a_body(1, payment_method_id=191), "payment_method_id"),
    (a_body(1, promotion_code=LONG), "promotion_code"),
    (ordered(client={"id": 98765}), "order.client.id"),
    (ordered(client={"id": 12}), "order.client.id"),
    (a_body(1, {"client": {"id": 98765}}, token=ED), "order.client.id"),
]


def path_and_number(case: Any) -> str | None:
    return case if isinstance(case, str) else None


@pytest.mark.parametrize(("body", "param"), MISSING, ids=path_and_number)
def test_what_is_missing_is_named(world: World, body: dict[str, Any], param: str) -> None:
    require_refusal(world, body, "missing-param", param)


@pytest.mark.parametrize(("body", "param"), INVALID, ids=path_and_number)
def test_what_cannot_be_right_is_named_and_not_repeated(world: World, body: dict[str, Any], param: str | None) -> None:
    require_refusal(world, body, "invalid-param", param)


def require_refusal(world: World, body: dict[str, Any], status: str, param: str | None) -> None:
    position, calls = world.database.position(), world.charge_calls()

    answer = world.pay(body)

    answer.require_envelope(status, 400)
    assert answer.fault == (status, param)
    assert answer.data is None
    for value in (CANARY, "98765", "feedbeef", "2031-02-29", "14:59:59", "4111", str(body["token"]), "Main Street"):
        assert value not in answer.text
    assert world.database.position() == position
    assert world.charge_calls() == calls


def test_a_foreign_and_an_unknown_id_are_answered_alike(world: World) -> None:
    for foreign, unknown in (
        (a_body(1, payment_method_id=201), a_body(1, payment_method_id=98765)),
        (ordered(client={"id": 12}), ordered(client={"id": 98765})),
    ):
        answers = [world.pay(body).json | {"request_id": ""} for body in (foreign, unknown)]
        assert answers[0] == answers[1]


def test_what_is_missing_comes_before_what_is_invalid_and_both_before_the_promotion(world: World) -> None:
    body = a_body(1, {"notes": LONG, "property_info": {}}, promotion_code="NOPE")

    assert world.pay(body).fault == ("missing-param", "order.property_info.address")
    assert world.pay(a_body(1, {"notes": LONG}, promotion_code="NOPE")).fault == ("invalid-param", "order.notes")


def test_two_tokens_that_differ_are_refused_without_either(world: World) -> None:
    body = json.dumps(a_body(1)).encode()

    answer = world.pay(body, Authorization=f"Bearer {MIA}")

    assert answer.fault == ("invalid-param", "token")
    assert ADA not in answer.text
    assert MIA not in answer.text


def test_a_null_parameter_counts_as_not_passed(world: World) -> None:
    body = a_body(1, token=FAY) | {"promotion_code": None, "view": None}

    assert world.pay(body).status == "client-required"

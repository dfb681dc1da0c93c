"""Every parameter has its rules, and a fault names the parameter by its path: never the value."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from api.pay_and_submit.params import PayAndSubmitParams
from api.pay_and_submit.reading import path_of, read_params
from api.views.application import APPLICATION_VIEWS
from api.views.session import SESSION_VIEWS
from application.order_view import VIEWS
from tests.api.world import Api, a_body, an_access, an_order

START, END = "2030-05-01T09:00:00-06:00", "2030-05-01T11:00:00-06:00"


def with_property(**changes: Any) -> dict[str, Any]:
    info = {**an_order()["property_info"], **changes}
    return a_body(order=an_order(property_info=info))


def with_address(**changes: Any) -> dict[str, Any]:
    return with_property(address={**an_order()["property_info"]["address"], **changes})


def with_access(**changes: Any) -> dict[str, Any]:
    return a_body(order=an_order(property_access=an_access(**changes)))


def with_service(**changes: Any) -> dict[str, Any]:
    return a_body(order=an_order(primary_service={"slug": "photos", "quantity": 15, **changes}))


def with_appointment(**changes: Any) -> dict[str, Any]:
    appointment = {"start_datetime": START, "end_datetime": END, **changes}
    return a_body(order=an_order(appointments=[appointment]))


VALID: list[dict[str, Any]] = [
    a_body(payment_method_id=101, promotion_code="P" * 100, view="order_read"),
    with_property(price=0, sqft=2**63 - 1, bedrooms=0, bathrooms=2.5, property_id="x" * 255, property_type="land"),
    with_property(bathrooms=2),
    with_address(street2="Unit 7", postal_code="00501", street="é" * 255),
    with_access(method_of_access="keypad", lockbox_location=None),
    with_access(method_of_access="rently", access_code=None, lockbox_location=None),
    with_access(onsite_contact_name="Jo", onsite_contact_email="jo@example.com", preferred_date="2032-02-29"),
    with_service(service_instructions="x" * 1000),
    with_appointment(duration=1.5),
    with_appointment(start_datetime="2030-05-01T09:00Z", end_datetime="2030-05-01T09:00:00.5Z"),
    with_appointment(start_datetime="2030-05-01T09:00:00+02:00", end_datetime="2030-05-01T08:00:00+00:00"),
    a_body(order=an_order(appointments=[{"start_datetime": START, "end_datetime": END}] * 10)),
    a_body(order=an_order(notes="line\nline", metadata={"a_1": "x" * 255, "B" * 60: "", "c": "1", "d": "2"})),
    a_body(order=an_order(add_on_services=[], notes="", metadata={}, appointments=[])),
]

INVALID: list[tuple[dict[str, Any], str]] = [
    (a_body(view="nonsense"), "view"),
    (a_body(view="client_read"), "view"),
    (a_body(session_view="order_read"), "session_view"),
    (a_body(application_view="session_read"), "application_view"),
    (a_body(application=7), "application"),
    (a_body(payment_method_id=True), "payment_method_id"),
    (a_body(payment_method_id="101"), "payment_method_id"),
    (a_body(payment_method_id=101.0), "payment_method_id"),
    (a_body(payment_method_id=0), "payment_method_id"),
    (a_body(payment_method_id=-1), "payment_method_id"),
    (a_body(promotion_code=""), "promotion_code"),
    (a_body(promotion_code="P" * 101), "promotion_code"),
    (a_body(promotion_code=["P"]), "promotion_code"),
    (a_body(surprise=1), "surprise"),
    (a_body(order="text"), "order"),
    (a_body(order=[]), "order"),
    (a_body(order=an_order(surprise=1)), "order.surprise"),
    (a_body(order=an_order(client=11)), "order.client"),
    (a_body(order=an_order(client={"id": "11"})), "order.client.id"),
    (a_body(order=an_order(client={"id": 11, "name": "x"})), "order.client.name"),
    (a_body(order=an_order(primary_service=["photos"])), "order.primary_service"),
    (with_service(slug=""), "order.primary_service.slug"),
    (with_service(slug=["photos"]), "order.primary_service.slug"),
    (with_service(quantity=True), "order.primary_service.quantity"),
    (with_service(quantity=0), "order.primary_service.quantity"),
    (with_service(service_instructions="x" * 1001), "order.primary_service.service_instructions"),
    (with_service(previous_order_id="x"), "order.primary_service.previous_order_id"),
    (a_body(order=an_order(add_on_services={})), "order.add_on_services"),
    (a_body(order=an_order(add_on_services=[None])), "order.add_on_services[0]"),
    (a_body(order=an_order(add_on_services=[{"slug": "twilight", "quantity": 1}] * 21)), "order.add_on_services"),
    (with_property(price=-1), "order.property_info.price"),
    (with_property(price=1.5), "order.property_info.price"),
    (with_property(sqft=True), "order.property_info.sqft"),
    (with_property(bedrooms="3"), "order.property_info.bedrooms"),
    (with_property(bathrooms=2.25), "order.property_info.bathrooms"),
    (with_property(bathrooms=-0.5), "order.property_info.bathrooms"),
    (with_property(bathrooms=True), "order.property_info.bathrooms"),
    (with_property(property_type="castle"), "order.property_info.property_type"),
    (with_property(property_id="x" * 256), "order.property_info.property_id"),
    (with_address(postal_code=80202), "order.property_info.address.postal_code"),
    (with_address(street=" "), "order.property_info.address.street"),
    (with_address(city="x" * 256), "order.property_info.address.city"),
    (with_address(country="us"), "order.property_info.address.country"),
    (with_access(vacant="true"), "order.property_access.vacant"),
    (with_access(vacant=1), "order.property_access.vacant"),
    (with_access(vacant=False), "order.property_access.method_of_access"),
    (with_access(method_of_access="window"), "order.property_access.method_of_access"),
    (with_access(access_code="x" * 256), "order.property_access.access_code"),
    (with_access(onsite_contact_email="jo"), "order.property_access.onsite_contact_email"),
    (with_access(onsite_contact_email="a@b c.de"), "order.property_access.onsite_contact_email"),
    (with_access(onsite_contact_email="a" * 250 + "@b.de"), "order.property_access.onsite_contact_email"),
    (with_access(preferred_date="2031-02-29"), "order.property_access.preferred_date"),
    (with_access(preferred_date="20310228"), "order.property_access.preferred_date"),
    (with_appointment(start_datetime="2030-05-01T09:00:00"), "order.appointments[0].start_datetime"),
    (with_appointment(start_datetime="2030-05-01"), "order.appointments[0].start_datetime"),
    (with_appointment(start_datetime="2030-13-01T09:00:00Z"), "order.appointments[0].start_datetime"),
    (with_appointment(start_datetime="٢٠٣٠-05-01T09:00:00Z"), "order.appointments[0].start_datetime"),
    (with_appointment(start_datetime=1746090000), "order.appointments[0].start_datetime"),
    (with_appointment(end_datetime=START), "order.appointments[0].end_datetime"),
    (with_appointment(end_datetime="2030-05-01T15:00:00+00:00"), "order.appointments[0].end_datetime"),
    (with_appointment(duration=0), "order.appointments[0].duration"),
    (with_appointment(duration="1"), "order.appointments[0].duration"),
    (a_body(order=an_order(appointments=[{"start_datetime": START, "end_datetime": END}] * 11)), "order.appointments"),
    (a_body(order=an_order(notes="x" * 1001)), "order.notes"),
    (a_body(order=an_order(metadata={str(n): "" for n in range(5)})), "order.metadata"),
    (a_body(order=an_order(metadata={"not a name": "x"})), "order.metadata"),
    (a_body(order=an_order(metadata={"k" * 61: "x"})), "order.metadata"),
    (a_body(order=an_order(metadata={"ref": 7})), "order.metadata.ref"),
    (a_body(order=an_order(metadata={"ref": "x" * 256})), "order.metadata.ref"),
]

MISSING: list[tuple[dict[str, Any], str]] = [
    (a_body(order=None), "order"),
    (a_body(order={}), "order.primary_service"),
    (a_body(order=an_order(primary_service=None)), "order.primary_service"),
    (a_body(order=an_order(primary_service=None, add_on_services=[])), "order.primary_service"),
    (with_service(slug=None), "order.primary_service.slug"),
    (with_service(quantity=None), "order.primary_service.quantity"),
    (a_body(order=an_order(add_on_services=[{"slug": "twilight"}])), "order.add_on_services[0].quantity"),
    (a_body(order=an_order(property_info=None)), "order.property_info"),
    (with_property(address=None), "order.property_info.address"),
    (with_address(street=None), "order.property_info.address.street"),
    (with_address(postal_code=None), "order.property_info.address.postal_code"),
    (with_access(vacant=None), "order.property_access.vacant"),
    (with_access(method_of_access=None), "order.property_access.method_of_access"),
    (with_access(access_code=None), "order.property_access.access_code"),
    (with_access(method_of_access="keypad", access_code=None), "order.property_access.access_code"),
    (with_access(lockbox_location=None), "order.property_access.lockbox_location"),
    (with_access(onsite_contact_phone=None), "order.property_access.onsite_contact_phone"),
    (with_appointment(end_datetime=None), "order.appointments[0].end_datetime"),
]


def name(value: object) -> str:
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize("body", VALID)
def test_a_valid_body_is_accepted(api: Api, body: dict[str, Any]) -> None:
    answered = api.pay(body)
    assert answered.status == "action-successful", answered.json


@pytest.mark.parametrize(("body", "param"), INVALID, ids=name)
def test_a_value_that_cannot_be_right_is_named_by_its_path(api: Api, body: dict[str, Any], param: str) -> None:
    answered = api.pay(body)
    assert (answered.code, answered.fault) == (400, ("invalid-param", param))


@pytest.mark.parametrize(("body", "param"), MISSING, ids=name)
def test_a_required_parameter_that_is_not_there_or_null_is_missing(api: Api, body: dict[str, Any], param: str) -> None:
    assert api.pay(body).fault == ("missing-param", param)


def test_null_counts_as_not_passed_and_a_service_may_be_an_add_on_alone(api: Api) -> None:
    order = an_order(add_on_services=[{"slug": "twilight", "quantity": 1, "service_instructions": None}])
    assert api.pay(a_body(view=None, order={**order, "primary_service": None, "notes": None})).code == 200
    assert [item.service.slug for item in api.world.commands[0].services] == ["twilight"]


def test_an_occupied_property_takes_no_access_needed(api: Api) -> None:
    access = an_access(vacant=False, method_of_access="no_access_needed", access_code=None, lockbox_location=None)
    order = an_order(primary_service={"slug": "exterior_photos", "quantity": 1}, property_access=access)
    assert api.pay(a_body(order=order)).status == "action-successful"


def test_the_views_that_are_offered_are_the_views_that_there_are() -> None:
    def offered(field: str) -> tuple[str, ...]:
        return get_args(get_args(PayAndSubmitParams.model_fields[field].annotation)[0])

    assert offered("view") == VIEWS
    assert offered("session_view") == tuple(SESSION_VIEWS)
    assert offered("application_view") == tuple(APPLICATION_VIEWS)


def test_a_detail_says_what_kind_of_fault_it_is() -> None:
    for body, detail in [
        (a_body(payment_method_id="7"), "wrong-type"),
        (a_body(view="x"), "unknown-value"),
        (a_body(surprise=1), "unknown-parameter"),
        (with_property(price=-1), "out-of-range"),
        (a_body(order=an_order(notes="x" * 1001)), "too-long"),
        (with_address(street=" "), "malformed"),
        (with_access(vacant=False), "not-allowed"),
    ]:
        fault = read_params(json.loads(json.dumps(body))).invalid
        assert fault is not None
        assert fault.detail == detail


@pytest.mark.parametrize("key", ["4111111111111111", "a b", "X", "<script>", "k" * 65, "", "tok-ada", "ключ"])
def test_a_key_that_does_not_look_like_a_name_is_not_repeated(key: str) -> None:
    assert path_of(("order", key)) == "order"
    assert path_of(("order", "add_on_services", 3, key)) == "order.add_on_services[3]"

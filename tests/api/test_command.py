"""What only the directory can tell: whose client, which services, which card."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from application.ports import Role
from tests.api.world import ED, ORDER_ID, PLANOORDER, Api, a_body, an_access, an_order, service, user

PHOTOS = {"slug": "photos", "quantity": 15}
TWILIGHT = {"slug": "twilight", "quantity": 1}
STAGING = {"slug": "ai_virtual_staging", "quantity": 1}
ENTERED_BY_NOBODY = an_access(method_of_access="no_access_needed", access_code=None, lockbox_location=None)


def with_add_ons(*services: dict[str, Any]) -> dict[str, Any]:
    return a_body(order=an_order(add_on_services=list(services)))


def test_a_foreign_client_and_an_unknown_one_are_refused_exactly_alike(api: Api) -> None:
    answers = [api.pay(a_body(order=an_order(client={"id": client_id}))).json for client_id in (12, 999)]
    assert answers[0]["error"] == answers[1]["error"]
    assert (answers[0]["status"], answers[0]["error"]["param"]) == ("invalid-param", "order.client.id")
    assert answers[0]["message"] == answers[1]["message"]


@pytest.mark.parametrize("client", [None, {}, {"id": None}, {"id": 11}])
def test_a_client_orders_for_itself(api: Api, client: dict[str, Any] | None) -> None:
    assert api.pay(a_body(order={**an_order(), "client": client})).status == "action-successful"
    assert api.world.commands[0].client.id == 11


@pytest.mark.parametrize("token", [ED, PLANOORDER])
def test_whoever_has_no_client_of_its_own_must_name_one_that_exists(api: Api, token: str) -> None:
    assert api.pay(a_body(token)).fault == ("missing-param", "order.client")
    assert api.pay(a_body(token, order=an_order(client={}))).fault == ("missing-param", "order.client.id")
    unknown = api.pay(a_body(token, order=an_order(client={"id": 999})))
    assert unknown.fault == ("invalid-param", "order.client.id")
    assert api.pay(a_body(token, order=an_order(client={"id": 12}))).status == "action-successful"


def test_an_employee_who_is_a_client_too_may_leave_it_out_or_name_another(api: Api) -> None:
    api.world.sign_in("tok", user(4, Role("employee"), Role("client", 12)))
    assert api.pay(a_body("tok")).status == "action-successful"
    assert api.pay(a_body("tok", order=an_order(client={"id": 11}))).status == "action-successful"
    assert [command.client.id for command in api.world.commands] == [12, 11]


def test_a_client_that_no_longer_exists_cannot_be_ordered_for(api: Api) -> None:
    del api.world.clients[11]
    assert api.pay(a_body()).fault == ("invalid-param", "order.client")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (a_body(order=an_order(primary_service={**PHOTOS, "slug": "unknown"})), "order.primary_service.slug"),
        (a_body(order=an_order(primary_service=TWILIGHT)), "order.primary_service.slug"),
        (a_body(order=an_order(primary_service={**PHOTOS, "quantity": 11})), "order.primary_service.quantity"),
        (with_add_ons(TWILIGHT, {"slug": "unknown", "quantity": 1}), "order.add_on_services[1].slug"),
        (with_add_ons(PHOTOS), "order.add_on_services[0].slug"),
        (with_add_ons(TWILIGHT, TWILIGHT), "order.add_on_services[1].slug"),
        (with_add_ons({**TWILIGHT, "quantity": 2}), "order.add_on_services[0].quantity"),
        (a_body(order=an_order(property_access=ENTERED_BY_NOBODY)), "order.property_access.method_of_access"),
    ],
)
def test_what_the_catalog_does_not_offer_is_named(api: Api, body: dict[str, Any], param: str) -> None:
    assert api.pay(body).fault == ("invalid-param", param)


def test_a_service_that_needs_a_previous_order_misses_it(api: Api) -> None:
    fault = api.pay(with_add_ons(TWILIGHT, STAGING)).fault
    assert fault == ("missing-param", "order.add_on_services[1].previous_order_id")


@pytest.mark.parametrize("previous", ["not-an-id", str(UUID(int=5))])
def test_a_previous_order_must_be_one_that_the_client_has(api: Api, previous: str) -> None:
    api.world.previous_orders = {(UUID(int=5), 12), (ORDER_ID, 11)}
    body = with_add_ons({**STAGING, "previous_order_id": previous})
    assert api.pay(body).fault == ("invalid-param", "order.add_on_services[0].previous_order_id")
    assert api.pay(with_add_ons({**STAGING, "previous_order_id": str(ORDER_ID)})).status == "action-successful"
    assert api.world.commands[0].services[1].previous_order_id == ORDER_ID


def test_a_primary_service_cannot_need_a_previous_order_since_it_cannot_name_one(api: Api) -> None:
    api.world.services["photos"] = service("photos", "primary", {15: 1}, previous_order_required=True)
    assert api.pay(a_body()).fault == ("invalid-param", "order.primary_service.slug")


def test_an_access_is_needed_only_where_a_service_needs_it(api: Api) -> None:
    exterior = {"slug": "exterior_photos", "quantity": 1}
    assert api.pay(a_body(order=an_order(property_access=None))).fault == ("missing-param", "order.property_access")
    assert api.pay(a_body(order=an_order(primary_service=exterior, property_access=None))).code == 200


@pytest.mark.parametrize("method_id", [102, 201, 999])
def test_a_card_that_is_inactive_foreign_or_unknown_is_refused_exactly_alike(api: Api, method_id: int) -> None:
    answered = api.pay(a_body(payment_method_id=method_id))
    assert answered.fault == ("invalid-param", "payment_method_id")
    assert answered.detail is None


def test_without_an_active_default_card_one_must_be_named_unless_nothing_is_to_be_paid(api: Api) -> None:
    del api.world.methods[101]
    assert api.pay(a_body()).fault == ("missing-param", "payment_method_id")
    api.world.amount_due_cents = 0
    assert api.pay(a_body()).status == "action-successful"
    assert api.world.commands[0].payment_method is None


def test_a_client_that_has_no_usable_card_is_told_so_after_everything_else(api: Api) -> None:
    del api.world.methods[101]
    assert api.pay(a_body(order=an_order(notes=7))).fault == ("invalid-param", "order.notes")

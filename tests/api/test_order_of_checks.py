"""Checks run in the documented order: repaired one by one, a request that is wrong in every way fails ever later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from application.commands import Outcome
from application.ports import Role, RouteRecord
from tests.api.serving import send
from tests.api.world import ADA, NORA, NOW, Api, a_body, an_access, an_order, user


def test_a_request_that_is_wrong_in_every_way_fails_at_the_first_check_then_at_the_next(api: Api) -> None:
    world = api.world
    world.directory_fails, world.route = True, None
    world.wait_s, world.outcome = {"token": 9, "address": 9}, Outcome("invalid-promotion")
    world.sign_in("tok-old", user(1, Role("client", 11)), created_at=NOW - timedelta(days=8))
    seen: list[str] = []

    def ask(body: object, content_type: str = "application/json", **headers: str) -> None:
        sent = {"Idempotency-Key": "not visible", **headers}
        seen.append(api.post(body, sent, content_type).status)

    ask(b"[", "text/html")
    world.directory_fails = False
    ask(b"[", "text/html")
    world.route = RouteRecord(service_deployed=False, route_deployed=False, sensitive_params=False)
    ask(b"[", "text/html")
    world.route = RouteRecord(service_deployed=True, route_deployed=False, sensitive_params=False)
    ask(b"[", "text/html")
    world.route = RouteRecord(True, True, False)
    ask(b"[", "text/html")
    ask(b"[")
    ask(b"{}")
    wrong = {"view": "nonsense", "order": {}}
    ask(wrong)
    ask({**wrong, "token": "unknown"})
    world.wait_s.pop("address")
    ask({**wrong, "token": "unknown"})
    ask({**wrong, "token": "tok-old"})
    ask({**wrong, "token": NORA})
    ask({**wrong, "token": ADA})
    world.wait_s.clear()
    ask({**wrong, "token": ADA})
    ask({**a_body(), "view": "nonsense"})
    ask(a_body())
    ask(a_body(), **{"Idempotency-Key": "visible"})
    assert seen == [
        "identify-request-error",
        "service-not-found",
        "service-not-found",
        "route-not-found",
        "invalid-content-type",
        "invalid-encoded-params",
        "no-params-decoded",
        "missing-param",
        "rate-limit-exceeded",  # an address that keeps sending invalid tokens
        "invalid-token",
        "session-expired",
        "client-required",
        "rate-limit-exceeded",
        "missing-param",
        "invalid-param",
        "invalid-param",
        "invalid-promotion",
    ]


def test_a_route_is_only_asked_of_the_directory_and_each_time(api: Api) -> None:
    assert api.pay(a_body()).status == "action-successful"
    api.world.route = RouteRecord(True, False, False)
    assert (api.pay(a_body()).code, api.pay(a_body()).status) == (404, "route-not-found")


@pytest.mark.parametrize(
    "body",
    [
        a_body(view="nonsense", order=an_order(property_access=None)),
        a_body(promotion_code=7, order=an_order(property_access=None)),
        a_body(application="nonsense", order=an_order(property_access=None)),
        a_body(order=an_order(property_access=None, client={"id": 12})),
        a_body(order=an_order(property_access=None, notes=7)),
        a_body(payment_method_id=999, order=an_order(property_access=None)),
    ],
)
def test_an_access_that_the_catalog_asks_for_is_missed_before_anything_invalid_is_told(
    api: Api, body: dict[str, object]
) -> None:
    assert api.pay(body).fault == ("missing-param", "order.property_access")


def test_the_first_parameter_that_is_missing_in_document_order_is_named(api: Api) -> None:
    order = an_order(primary_service={}, add_on_services=[{}], property_info={})
    steps: list[tuple[dict[str, Any], str]] = [
        ({}, "order.primary_service.slug"),
        ({"primary_service": {"slug": "photos"}}, "order.primary_service.quantity"),
        ({"primary_service": {"slug": "photos", "quantity": 15}}, "order.add_on_services[0].slug"),
        ({"add_on_services": []}, "order.property_info.address"),
        ({"property_info": {"address": {"street": "1 Main St"}}}, "order.property_info.address.city"),
    ]
    for filled, param in steps:
        order.update(filled)
        assert api.pay(a_body(order=order)).fault == ("missing-param", param)


def test_an_idempotency_key_is_looked_at_after_every_parameter(api: Api) -> None:
    answered = api.pay(a_body(order=an_order(property_access=an_access(vacant="yes"))), Idempotency_Key="not visible")
    assert answered.fault == ("invalid-param", "order.property_access.vacant")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/orders/pay_and_submit"),
        ("PUT", "/api/v1/orders/pay_and_submit"),
        ("POST", "/api/v1/orders/pay_and_submit/"),
        ("POST", "/api/v1/orders/pay_and_submit/x"),
        ("GET", "/"),
        ("GET", "/docs/../settings.py"),
        ("GET", "/docs/redoc.standalone.js"),
    ],
)
def test_an_unknown_path_and_another_method_are_no_route(api: Api, method: str, path: str) -> None:
    answered = send(api.port, method, path)
    assert (answered.code, answered.status) == (500, "route-non-existent")
    assert answered.headers["X-Request-Id"] == answered.json["request_id"]

"""GET /api/v1/orders: who sees which orders, what they are filtered by, and how they are paged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.client import ORDERS, Answer
from tests.end_to_end.world import ADA, ED, FAY, LEE, MIA, World, on_sqlite_only


@pytest.fixture(scope="module")
def orders(world: World) -> dict[str, Answer]:
    """One order of each kind, from the first to the last."""
    code = world.promotion("TEN")
    return {
        "paid": world.pay(world.body()),
        "with promotion": world.pay(world.body(promotion_code=code)),
        "declined": world.pay(world.body(payment_method_id=102)),
        "refused": world.pay(world.body(promotion_code="NOPE")),
        "open": world.pay(world.body(payment_method_id=111)),
        "held": world.pay(world.body(payment_method_id=106)),
        "mia's": world.pay(world.body(token=MIA)),
    }


def listed(world: World, token: str, orders: Mapping[str, Answer], **query: Any) -> list[str]:
    """Which of the orders are listed, by name; asked once the list has seen the last of them."""
    names = {answer.order["id"]: name for name, answer in orders.items()}
    position = max(answer.data["position"] for answer in orders.values())
    answer = world.get(ORDERS, token, {"min_position": position, **query})
    answer.require_envelope("action-successful", 200)
    assert set(answer.data) == {"orders", "next_cursor", "position"}
    assert answer.data["position"] >= position
    return [names[order["id"]] for order in answer.data["orders"] if order["id"] in names]


def test_an_employee_sees_all_but_the_refused_newest_first(world: World, orders: dict[str, Answer]) -> None:
    for token in (ED, LEE):
        found = listed(world, token, orders)
        assert found == ["mia's", "held", "open", "declined", "with promotion", "paid"]


def test_a_client_sees_its_own_only(world: World, orders: dict[str, Answer]) -> None:
    assert listed(world, MIA, orders) == ["mia's"]
    assert listed(world, ADA, orders) == ["held", "open", "declined", "with promotion", "paid"]
    assert listed(world, ADA, orders, q=orders["mia's"].order["id"]) == []
    assert world.get(ORDERS, ADA, {"client_id": 12}).fault == ("invalid-param", "client_id")
    assert world.get(ORDERS, ADA, {"client_id": 99}).fault == ("invalid-param", "client_id")


def test_orders_are_filtered(world: World, orders: dict[str, Answer]) -> None:
    code = orders["with promotion"].order["promotion"]["code"]

    assert listed(world, ED, orders, state="refused") == ["refused"]
    assert listed(world, ED, orders, state="declined,payment_held") == ["held", "declined"]
    assert listed(world, ED, orders, state="payment_open") == ["open"]
    assert listed(world, ED, orders, client_id=12) == ["mia's"]
    assert listed(world, ED, orders, client_id=99) == []
    assert listed(world, ED, orders, promotion_code=code.lower()) == ["with promotion"]
    assert listed(world, ED, orders, promotion_code=code, state="declined") == []


def test_orders_are_filtered_by_when_they_were_requested(world: World, orders: dict[str, Answer]) -> None:
    began = orders["declined"].order["requested_at"]
    ended = datetime.fromisoformat(orders["held"].order["requested_at"]) + timedelta(hours=2)

    assert listed(world, ED, orders, **{"from": began}) == ["mia's", "held", "open", "declined"]
    assert listed(world, ED, orders, to=began) == ["with promotion", "paid"]
    assert listed(world, ED, orders, **{"from": began, "to": orders["held"].order["requested_at"]}) == [
        "open",
        "declined",
    ]
    assert listed(world, ED, orders, **{"from": ended.isoformat()}) == []


def test_an_order_is_found_by_any_of_its_names(world: World, orders: dict[str, Answer]) -> None:
    paid, refused = orders["paid"], orders["refused"]
    payment = paid.order["payment"]

    names = (paid.order["id"], paid.order["number"], paid.order["number"].lower(), paid.request_id)
    for name in (*names, payment["invoice_number"], payment["transaction_id"]):
        assert listed(world, ED, orders, q=name) == ["paid"]
    assert listed(world, ED, orders, q=refused.order["number"]) == ["refused"]
    assert listed(world, ED, orders, q=paid.order["number"][:-1]) == []
    assert listed(world, ED, orders, q="Main Street") == []


def test_pages_follow_one_another_without_a_gap(world: World, orders: dict[str, Answer]) -> None:
    whole = [order["id"] for order in world.get(ORDERS, ED).data["orders"]]
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = world.get(ORDERS, ED, query)
        found += [order["id"] for order in page.data["orders"]]
        assert len(page.data["orders"]) <= 2
        if page.data["next_cursor"] is None:
            break
        query["cursor"] = page.data["next_cursor"]

    assert found == whole
    assert len(whole) == len(orders) - 1


def test_a_list_shows_its_orders_in_the_view_asked_for(world: World, orders: dict[str, Answer]) -> None:
    plain = world.get(ORDERS, MIA, {"q": orders["mia's"].order["number"]}).data["orders"]
    full = world.get(ORDERS, MIA, {"q": orders["mia's"].order["number"], "view": "order_read"}).data["orders"]

    assert plain == [orders["mia's"].order]
    assert plain[0].items() <= full[0].items()
    assert full[0]["property"]["address"]["city"] == "Denver"


def test_min_position_shows_what_one_has_just_written(world: World, orders: dict[str, Answer]) -> None:
    for _ in range(5):
        mine = world.pay(world.body(promotion_code="NOPE"))
        query = {"min_position": mine.data["position"], "state": "refused", "limit": 1}
        assert world.get(ORDERS, ADA, query).data["orders"] == [mine.order]


@on_sqlite_only
def test_a_position_that_does_not_come_is_given_up(world: World) -> None:
    answer = world.get(ORDERS, ED, {"min_position": 10**9})  # after two seconds

    answer.require_envelope("invalid-param", 400)
    assert (answer.error["param"], answer.error["detail"]) == ("min_position", "not-reached")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "ten"),
        ("cursor", "-1"),
        ("cursor", "99999999999999999999"),
        ("state", "paid"),
        ("state", "submitted,"),
        ("client_id", "eleven"),
        ("from", "yesterday"),
        ("from", "2032-05-01T09:00:00"),
        ("to", "2032-13-01T09:00:00Z"),
        ("promotion_code", ""),
        ("q", "x" * 256),
        ("view", "all"),
        ("min_position", "1e3"),
    ],
)
def test_a_malformed_filter_is_named_and_not_echoed(world: World, name: str, value: str) -> None:
    answer = world.get(ORDERS, ED, {name: value})

    answer.require_envelope("invalid-param", 400)
    assert answer.error["param"] == name
    assert len(value) < 3 or f'"{value}"' not in answer.text


def test_a_reader_of_reports_alone_reads_no_orders(world: World) -> None:
    assert world.get(ORDERS, FAY).fault == ("client-required", None)

"""GET /api/v1/reports/...: who may read them, what they are asked with, and that they show what was just done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.world import ADA, ED, FAY, LEE, World

REPORTS = "/api/v1/reports/"
SLUGS = (
    "revenue-by-day", "revenue-by-service", "revenue-by-promotion", "revenue-by-designation", "conversion",
    "promotions", "payments", "email-deliveries", "directory-changes", "ledger", "trial-balance",
)  # fmt: skip


def read(world: World, slug: str, token: str = FAY, **query: Any) -> dict[str, Any]:
    answer = world.get(REPORTS + slug, token, query)
    answer.require_envelope("action-successful", 200)
    data: dict[str, Any] = answer.data
    return data


@pytest.fixture(scope="module")
def position(world: World) -> int:
    """The log after an order with a promotion, one without, and one that was declined."""
    world.pay(world.body(promotion_code=world.promotion("TEN")))
    world.pay(world.body())
    return int(world.pay(world.body(payment_method_id=102)).data["position"])


@pytest.mark.parametrize("slug", SLUGS)
def test_a_report_is_for_finance_and_employees_and_says_where_it_was_read(
    world: World, position: int, slug: str
) -> None:
    for token in (FAY, ED):
        found = read(world, slug, token, min_position=position)
        assert found["position"] >= position
        assert found["rows"]
        assert found["next_cursor"] is None or len(found["rows"]) == 50
    for token in (ADA, LEE):
        assert world.get(REPORTS + slug, token).fault == ("invalid-param", "application")
    assert world.send("GET", REPORTS + slug).code == 400


def test_revenue_is_what_was_charged(world: World, position: int) -> None:
    (day,) = read(world, "revenue-by-day", min_position=position)["rows"]
    (photos,) = read(world, "revenue-by-service", min_position=position)["rows"]
    assert (day["charges"], day["charged_cents"], day["net_cents"]) == (2, 18_500 + 16_650, 18_500 + 16_650)
    assert (photos["service"], photos["charged_cents"]) == ("photos", 18_500 + 16_650)
    by_code = {row["promotion"]: row["charged_cents"] for row in read(world, "revenue-by-promotion")["rows"]}
    assert sorted(by_code.values()) == [16_650, 18_500]
    assert by_code[""] == 18_500


def test_conversion_says_how_far_orders_came(world: World, position: int) -> None:
    found = read(world, "conversion", min_position=position)
    assert {step: found["totals"][step] for step in ("requested", "charged", "submitted", "declined")} == {
        "requested": 3, "charged": 2, "submitted": 2, "declined": 1,
    }  # fmt: skip
    assert [(row["step"], row["status"]) for row in found["reasons"]] == [("declined", "declined-payment")]


def test_lists_are_paged_by_cursor_and_filtered(world: World, position: int) -> None:
    first = read(world, "payments", limit=2, min_position=position)
    second = read(world, "payments", limit=2, cursor=first["next_cursor"])
    assert [row["state"] for row in first["rows"] + second["rows"]] == ["declined", "charged", "charged"]
    assert second["next_cursor"] is None
    assert [row["state"] for row in read(world, "payments", state="declined")["rows"]] == ["declined"]
    assert read(world, "payments", **{"from": "2100-01-01"})["rows"] == []
    assert len(read(world, "payments", **{"from": "2020-01-01", "to": "2100-01-01T00:00:00+02:00"})["rows"]) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("from", "yesterday"), ("to", "2026-13-01"), ("cursor", "abc"), ("cursor", "WyJ4Il0="), ("limit", "0"),
     ("state", "paid"), ("promotion_code", "X"), ("min_position", "x")],
)  # fmt: skip
def test_a_malformed_parameter_is_named_and_not_echoed(world: World, name: str, value: str) -> None:
    answer = world.get(REPORTS + "payments", FAY, {name: value})
    answer.require_envelope("invalid-param", 400)
    assert answer.error["param"] == ("query" if name == "promotion_code" else name)


def test_the_description_names_every_report_and_its_columns(world: World, position: int) -> None:
    paths = world.send("GET", "/openapi.json").json["paths"]
    for slug in SLUGS:
        answer = paths[REPORTS + slug]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        columns = answer["properties"]["data"]["properties"]["rows"]["items"]["properties"]
        assert set(read(world, slug, min_position=position)["rows"][0]) == set(columns)

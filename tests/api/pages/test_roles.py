"""Who sees which page, and whose data."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from api.pages.navigation import AREAS
from tests.api.pages.browsing import Visitor, text_of
from tests.end_to_end.world import World

SignedIn = Callable[[str], Visitor]
ROLES = {"ed": "employee", "lee": "liaison", "fay": "finance", "rae": "reporting", "otto": "operations"}
PERSONAL = ("Ada Agent Realty", "orders@ada.example.com", "Main Street", "303-555-0100")
ACCESS_CODE = re.compile(r"(?<![\w-])4711(?![\w-])")  # ids may have these digits too


@pytest.fixture(scope="module")
def order(world: World) -> dict[str, object]:
    return world.pay(world.body()).order


@pytest.mark.parametrize("person", ROLES)
def test_the_navigation_shows_what_the_role_may_open_and_nothing_else_opens(signed_in: SignedIn, person: str) -> None:
    visitor = signed_in(person)
    shown = visitor.get("/console/").text

    for area in AREAS:
        may = ROLES[person] in area.roles
        assert (f'<li><a href="{area.path}"' in shown) is may, area
        answer = visitor.get(area.path)
        assert (answer.code == 403) is not may, area
        assert may or "Your roles do not include this page" in text_of(answer)


@pytest.mark.parametrize("person", ["ed", "lee", "otto"])
def test_those_who_deal_with_people_see_them(signed_in: SignedIn, order: dict[str, object], person: str) -> None:
    page = text_of(signed_in(person).get(f"/console/orders/{order['id']}"))

    assert "Ada Agent Realty" in page
    assert "orders@ada.example.com" in page
    assert "Main Street" in page
    assert not ACCESS_CODE.search(page)  # how to get in takes one more look


@pytest.mark.parametrize("person", ["fay", "rae"])
def test_finance_and_reporting_see_ids_and_numbers_only(
    signed_in: SignedIn, order: dict[str, object], person: str
) -> None:
    visitor = signed_in(person)

    page = visitor.get(f"/console/orders/{order['id']}")
    raw = visitor.get(f"/console/orders/{order['id']}/events.json")

    assert "client 11" in text_of(page)
    assert not [text for text in PERSONAL if text in page.text or text in raw.text]
    assert not ACCESS_CODE.search(page.text + raw.text)
    assert visitor.get(f"/console/orders/{order['id']}/people").code == 403
    assert "No order matches" in text_of(visitor.get("/console/orders?q=orders@ada.example.com"))


def test_every_look_at_personal_data_is_recorded(signed_in: SignedIn, world: World) -> None:
    page = f"/console/orders/{world.pay(world.body()).order['id']}"
    otto, fay = signed_in("otto"), signed_in("fay")

    def recorded(visitor: Visitor, path: str) -> tuple[str, ...]:
        return world.database.events(visitor.get(path).headers["X-Request-Id"])

    assert recorded(otto, page) == ("personal-data.seen",)
    assert recorded(otto, page) == ()  # the same look on the same day
    assert recorded(otto, page + "/people") == ("personal-data.seen",)  # shows more
    assert recorded(fay, page) == ()  # shows none


@pytest.mark.parametrize(
    ("person", "money", "mail"), [("ed", 1, 1), ("fay", 1, 0), ("otto", 1, 1), ("lee", 0, 0), ("rae", 0, 0)]
)
def test_actions_are_offered_and_taken_by_role(
    signed_in: SignedIn, world: World, person: str, money: int, mail: int
) -> None:
    order = world.pay(world.body()).order
    visitor = signed_in(person)
    page = visitor.get(f"/console/orders/{order['id']}").text

    assert page.count('/refund"') == money
    assert page.count('/void"') == money
    assert page.count('/resend"') == mail
    voided = visitor.post(f"/console/orders/{order['id']}/void", {"reason": "as agreed"})
    resent = visitor.post(f"/console/orders/{order['id']}/resend", {"reason": "as agreed"})
    assert (voided.code, resent.code) == (200 if money else 403, 200 if mail else 403)

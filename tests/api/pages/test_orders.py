"""The list of orders, the page of one, and what is done there by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.statuses import SUCCESS
from tests.api.pages.browsing import Visitor, text_of
from tests.databases import fresh_database
from tests.end_to_end.world import ED, World, eventually, opened_world

SignedIn = Callable[[str], Visitor]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("orders")
    if request.param == "sqlite":
        with opened_world(f"sqlite:///{folder}/orders.db", folder) as world:
            yield world
        return
    server: str = request.getfixturevalue("postgresql_server_url")
    with fresh_database(server) as url, opened_world(url, folder) as world:
        yield world


@pytest.fixture
def ed(signed_in: SignedIn) -> Visitor:
    return signed_in("ed")


def ordered(world: World, **changes: Any) -> dict[str, Any]:
    """An order that the list shows already."""
    order = world.pay(world.body(**changes)).order
    world.get("/api/v1/orders", ED, {"min_position": world.database.position()}).require_envelope(SUCCESS, 200)
    return order


def test_an_order_is_found_by_every_name_it_has(world: World, ed: Visitor) -> None:
    body = world.body(
        {
            "property_info": {
                "property_id": "MLS 4711/9",
                "address": {"street": "9 Elm Avenue", "city": "Denver", "province": "us_co", "postal_code": "01239"},
            }
        }
    )
    answer = world.pay(body)
    order, payment = answer.order, answer.order["payment"]
    ordered(world)  # another one

    names = [
        order["id"],
        order["number"].lower(),
        answer.request_id,
        payment["invoice_number"],
        payment["transaction_id"],
    ]
    for name in [*names, "mls+4711+9", "9+elm+avenue", "9%20Elm%20Avenue%2C%20Denver%2001239"]:
        found = text_of(ed.get(f"/console/orders?q={name}"))
        assert order["number"] in found, name
        assert found.count("UTC") == 2, name  # one row, and the footer
    assert order["number"] in ed.get("/console/orders?q=ORDERS%40ada.example.com").text


def test_filters_narrow_the_list_and_stay_in_its_address(world: World, ed: Visitor) -> None:
    code = world.promotion("TEN")
    promoted = ordered(world, promotion_code=code)
    declined = ordered(world, payment_method_id=102)
    day = promoted["requested_at"][:10]

    by_promotion = ed.get(f"/console/orders?promotion={code.lower()}").text
    by_state = ed.get(f"/console/orders?state=declined&from={day}&to={day}&client=11").text
    before = ed.get("/console/orders?to=2020-01-01").text

    assert promoted["number"] in by_promotion
    assert declined["number"] not in by_promotion
    assert declined["number"] in by_state
    assert promoted["number"] not in by_state
    assert f'name="from" type="date" value="{day}"' in by_state
    assert '<option value="declined" selected>' in by_state
    assert "No order matches" in before


def test_empty_fields_of_a_form_ask_for_nothing(world: World, ed: Visitor) -> None:
    number = ordered(world)["number"]

    assert number in ed.get("/console/orders?q=&state=&from=&to=&promotion=&client=").text


@pytest.mark.parametrize(
    "wrong",
    ["state=lost", "from=yesterday", "to=9999-12-31", "client=eleven", "cursor=x", "colour=red", "q=a&q=b", "q=%00"],
)
def test_an_address_that_cannot_be_is_answered_with_a_page(ed: Visitor, wrong: str) -> None:
    answer = ed.get(f"/console/orders?{wrong}")

    assert answer.code == 400
    assert "cannot be shown as asked" in text_of(answer)


def test_pages_follow_one_another_without_gaps(world: World, ed: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [ordered(world) for _ in range(4)]
    monkeypatch.setattr("api.pages.orders.listing.PAGE_ROWS", 3)
    first = ed.get("/console/orders?client=11").text
    link = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    second = ed.get(link).text

    assert "client=11" in link
    assert [order["number"] in first for order in orders] == [False, True, True, True]
    assert orders[0]["number"] in second
    assert "First page" in second


def test_the_page_tells_the_story_of_an_order(world: World, ed: Visitor) -> None:
    order = ordered(world, promotion_code=world.promotion("TEN"))
    eventually(lambda: "revenue:services:photos" in ed.get(f"/console/orders/{order['id']}").text)
    eventually(lambda: "lie under a signed seal" in ed.get(f"/console/orders/{order['id']}").text)

    page = text_of(ed.get(f"/console/orders/{order['id']}"))

    assert f"Order {order['number']} ● submitted" in page
    assert "Paid and submitted; the confirmation is sent." in page
    for event in ("Requested", "PromotionApplied", "PaymentAttempted", "PaymentCharged", "Submitted", "EmailSent"):
        assert event in page
    assert "duplicate window" in page
    assert "promotion redemption" in page
    assert "Call to the gateway (charge):" in page
    assert "Call to the mail provider (send):" in page
    assert "$166.50" in page
    assert order["payment"]["transaction_id"] in page


def test_any_moment_of_an_order_has_an_address(world: World, ed: Visitor) -> None:
    order = ordered(world)
    path = f"/console/orders/{order['id']}"
    events = json.loads(ed.get(path + "/events.json").text)
    attempted = next(event for event in events if event["name"] == "PaymentAttempted")

    then = text_of(ed.get(f"{path}?at={attempted['position']}"))
    stepwise = text_of(ed.get(f"{path}?step=2"))

    for page in (then, stepwise):
        assert "After step 2 of" in page
        assert "2. PaymentAttempted" in page
        assert "Back to now" in page
        moment = page.partition("Step after")[2].partition("Requested")[0]
        assert "Payment — attempted changed" in moment
        assert "charged" not in moment
    assert "After step 1 of" in text_of(ed.get(f"{path}?at=1"))
    assert "After step 1 of" in text_of(ed.get(f"{path}?step=1"))
    assert ed.get(f"{path}?step=0").code == 400


def test_a_refused_order_leads_to_the_one_in_its_way(world: World, ed: Visitor) -> None:
    body = world.body()
    first, second = world.pay(body), world.pay(body)

    def found() -> str:
        listed = ed.get(f"/console/orders?q={second.request_id}").text.partition('<th scope="row"')[2]
        return listed.partition('href="')[2].partition('"')[0]

    eventually(lambda: bool(found()))
    page = ed.get(found())

    assert second.status == "duplicate-payment"
    assert "Refused: the same thing was just paid" in text_of(page)
    assert f'<a href="/console/orders/{first.order["id"]}">the earlier order</a>' in page.text


def test_an_order_that_is_not_there_is_not_found(ed: Visitor) -> None:
    for path in ("nix", "01a2091e-4e86-7697-b25b-6f6b9088bce9", "01a2091e-4e86-7697-b25b-6f6b9088bce9/people"):
        answer = ed.get(f"/console/orders/{path}")
        assert answer.code == 404
        assert "There is no such order" in text_of(answer)


def test_hostile_text_stays_text(world: World, ed: Visitor) -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}'
    address = {"street": hostile, "city": "Denver", "province": "us_co", "postal_code": "01234"}
    property_info = {"property_id": hostile, "address": address}
    order = world.pay(world.body({"notes": hostile, "property_info": property_info})).order
    ed.post(f"/console/orders/{order['id']}/void", {"reason": hostile})

    for path in (f"/{order['id']}", f"/{order['id']}/people", "?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"):
        page = ed.get(f"/console/orders{path}").text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_a_void_asks_for_a_reason_and_shows_up_in_the_story(world: World, ed: Visitor) -> None:
    order = world.pay(world.body()).order
    path = f"/console/orders/{order['id']}"

    for reason in ("", "  ", "no", "x" * 501, "two\nlines"):
        assert ed.post(f"{path}/void", {"reason": reason}).code == 400
    assert "VoidRequested" not in ed.get(path).text
    done = ed.post(f"{path}/void", {"reason": "ordered by mistake"})

    assert done.code == 200
    assert "Done. The gateway shows the $185.00 as voided." in text_of(done)
    page = text_of(ed.get(path))
    assert "● submitted" not in page
    assert "○ voided" in page
    assert "ordered by mistake" in page
    assert "by user:2" in page
    (charge,) = world.charges(order)
    assert charge["status"] == "voided"


def test_what_is_not_possible_says_why_and_changes_nothing(world: World, ed: Visitor) -> None:
    order = world.pay(world.body()).order
    declined = world.pay(world.body(payment_method_id=102)).order

    refund = ed.post(f"/console/orders/{order['id']}/refund", {"reason": "too early"})
    void = ed.post(f"/console/orders/{declined['id']}/void", {"reason": "nothing there"})
    resend = ed.post(f"/console/orders/{declined['id']}/resend", {"reason": "nothing there"})

    assert (refund.code, void.code, resend.code) == (409, 409, 409)
    assert "has not settled" in text_of(refund)
    assert "no charge that could be taken back" in text_of(void)
    assert "never submitted" in text_of(resend)


def test_the_confirmation_can_be_sent_again(world: World, ed: Visitor) -> None:
    order = world.pay(world.body()).order

    done = ed.post(f"/console/orders/{order['id']}/resend", {"reason": "the client deleted it"})

    assert "Done. The mail provider took the confirmation" in text_of(done)
    assert len(world.mails(order)) == 2
    assert "EmailResendRequested" in ed.get(f"/console/orders/{order['id']}").text


def test_an_open_order_tells_of_its_changes_and_an_ended_one_says_so(world: World, ed: Visitor) -> None:
    held = world.pay(world.body(payment_method_id=106)).order
    paid = world.pay(world.body()).order

    assert "sse-connect" in ed.get(f"/console/orders/{held['id']}").text
    assert "sse-connect" not in ed.get(f"/console/orders/{paid['id']}").text
    stream = ed.get(f"/console/orders/{paid['id']}/changes?version=1")
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert "event: changed" in stream.text
    assert stream.text.endswith("event: ended\ndata: \n\n")

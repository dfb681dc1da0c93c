"""The reports: what they show, the same as CSV, who may read them, and ranges that cannot be shown."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from api.pages.reports.routes import REPORTS
from tests.api.pages.browsing import Visitor, text_of
from tests.end_to_end.world import FAY, World, eventually

SLUGS = [report.slug for report in REPORTS]
SignedIn = Callable[[str], Visitor]


@pytest.fixture(scope="module")
def orders(world: World) -> str:
    """An order with a promotion, one without, one declined and one refused; the code of the promotion."""
    code = world.promotion("TEN")
    home = {
        "property_info": {
            "address": {"street": "1 Hill", "city": "Denver", "province": "us_co", "postal_code": "01234"}
        }
    }
    world.pay(world.body(promotion_code=code))
    world.pay(world.body(payment_method_id=102))
    world.pay(world.body(home))
    position = world.pay(world.body(home)).data["position"]
    for slug in ("revenue-by-day", "conversion", "promotions"):
        read = world.get(f"/api/v1/reports/{slug}", FAY, {"min_position": position, "limit": 1})
        assert read.code == 200
    return code


@pytest.mark.parametrize("slug", SLUGS)
def test_every_report_has_figures_a_chart_and_the_table_behind_it(signed_in: SignedIn, orders: str, slug: str) -> None:
    page = signed_in("rae").get(f"/console/reports/{slug}")

    assert page.code == 200
    assert '<svg class="chart"' in page.text
    assert "<table>" in page.text
    assert 'aria-current="page"' in page.text


def test_revenue_is_what_was_charged(signed_in: SignedIn, orders: str) -> None:
    reader = signed_in("fay")

    assert "$351.50 charged 2 charges" in text_of(reader.get("/console/reports/revenue"))
    by_promotion = text_of(reader.get("/console/reports/revenue-by-promotion"))
    assert f"{orders} 1 $166.50" in by_promotion
    assert "no promotion 1 $185.00" in by_promotion


def test_refusals_are_counted_by_reason(signed_in: SignedIn, orders: str) -> None:
    text = text_of(signed_in("fay").get("/console/reports/refusals"))

    assert "Declined by the bank" in text
    assert "duplicate-payment 1 25.0 %" in text
    assert "2 ended without being submitted 50.0 % of 4 requested" in text


@pytest.mark.parametrize("slug", SLUGS)
def test_the_download_holds_what_the_page_shows(signed_in: SignedIn, orders: str, slug: str) -> None:
    reader = signed_in("rae")

    page = reader.get(f"/console/reports/{slug}?per=week")
    link = re.search(r'href="(/console/reports/[^"]+\.csv[^"]*)"', page.text)
    assert link is not None
    download = reader.get(link[1].replace("&amp;", "&"))

    assert download.headers["Content-Disposition"].startswith(f'attachment; filename="{slug}-')
    header, *rows = csv.reader(io.StringIO(download.text, newline=""))
    assert rows
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert len(re.findall(r"<tr>", body)) == len(rows)
    assert len(header) == len(re.findall(r'<th scope="col"', page.text))


def test_amounts_of_a_download_are_plain_decimals(signed_in: SignedIn, orders: str) -> None:
    download = signed_in("rae").get("/console/reports/revenue-by-service.csv")

    assert list(csv.DictReader(io.StringIO(download.text))) == [
        {"value": "photos", "charges": "2", "charged": "351.50", "returns": "0", "returned": "0.00", "net": "351.50"}
    ]


def test_figures_lead_to_their_orders(signed_in: SignedIn, orders: str) -> None:
    reader = signed_in("rae")
    today = datetime.now(UTC).date()

    conversion = reader.get(f"/console/reports/conversion?from={today}&to={today}")
    promotions = reader.get("/console/reports/promotions")

    assert f'href="/console/orders?from={today}&amp;to={today}"' in conversion.text
    assert f'href="/console/orders?promotion={orders}"' in promotions.text
    assert "$166.50" in text_of(reader.get(f"/console/orders?promotion={orders}"))


def test_a_range_without_anything_says_so(signed_in: SignedIn, orders: str) -> None:
    page = signed_in("rae").get("/console/reports/conversion?from=2020-01-01&to=2020-01-31")

    assert page.code == 200
    assert "Nothing happened in this range." in page.text
    assert "<svg" not in page.text


def test_a_range_is_a_url_that_can_be_shared(signed_in: SignedIn, orders: str) -> None:
    today = datetime.now(UTC).date()
    first = today - timedelta(days=10)

    page = signed_in("rae").get(f"/console/reports/revenue?from={first}&to={today}&per=week")

    assert f'name="from" value="{first}"' in page.text
    assert '<option value="week" selected>' in page.text
    assert f"from={first}&amp;to={today}&amp;per=week" in page.text


@pytest.mark.parametrize("query", ["from=yesterday", "from=2026-11-02&to=2026-11-01", "from=1990-01-01"])
def test_a_range_that_cannot_be_shown_gets_a_clear_answer(signed_in: SignedIn, orders: str, query: str) -> None:
    reader = signed_in("rae")

    page = reader.get(f"/console/reports/revenue?{query}")
    assert page.code == 400
    assert "This range cannot be shown" in text_of(page)
    assert "yesterday" not in page.text
    assert reader.get(f"/console/reports/revenue.csv?{query}").code == 400


def test_unknown_reports_and_parameters_are_refused(signed_in: SignedIn) -> None:
    reader = signed_in("rae")
    assert reader.get("/console/reports/nothing").code == 404
    assert reader.get("/console/reports/nothing.csv").code == 404
    assert reader.get("/console/reports/revenue?color=red").code == 400


def test_reports_are_for_those_who_may_read_them(visitor: Visitor, signed_in: SignedIn) -> None:
    assert visitor.get("/console/reports/revenue").code == 303
    assert signed_in("lee").get("/console/reports/revenue").code == 403
    for person in ("ed", "fay", "rae", "otto"):
        assert signed_in(person).get("/console/reports/revenue").code == 200


def test_the_first_address_leads_to_a_report(signed_in: SignedIn) -> None:
    answer = signed_in("rae").get("/console/reports?from=2026-11-01")
    assert (answer.code, answer.headers["Location"]) == (307, "/console/reports/revenue?from=2026-11-01")


def test_the_navigation_shows_reports_to_those_who_may(world: World, signed_in: SignedIn) -> None:
    eventually(lambda: 'href="/console/reports"' in signed_in("rae").get("/console/").text)
    assert 'href="/console/reports"' not in signed_in("lee").get("/console/").text

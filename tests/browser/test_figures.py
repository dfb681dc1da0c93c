"""Reports, operations and finance in a browser: the main path of each area, by mouse, by keyboard, without scripts."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

from domain.settlement_break import BreakClass, SettlementBreak
from domain.stream import Metadata
from tests.browser.browsing import PHONE, Lively, serious_findings
from tests.browser.figure_pages import FIGURE_PAGES
from tests.projections.world import append

PageAs = Callable[..., Page]
IN_THE_DARK = (  # between them they show every kind of part that has colours
    "report-revenue", "report-refusals", "operations-health", "operations-work", "operations-projection",
    "operations-notifications", "finance-balance", "finance-breaks", "finance-log",
)  # fmt: skip


@pytest.fixture(scope="package", autouse=True)
def settlement_break(world: Lively) -> None:
    """Given that the gateway settled less than was charged."""
    now = datetime.now(UTC)
    found = SettlementBreak.empty(UUID(int=77))
    found.find(
        Metadata(now, "system:reconciliation", "req_1", "req_1"),
        classification=BreakClass.AMOUNT_DIFFERS, transaction_id="60001", batch_id="1", invoice_number=None,
        order_id=UUID(world.orders["paid"]["id"]), ours_cents=18_500, theirs_cents=18_000, happened_at=now,
        cause="The gateway settled less than was charged.", next_command="orders audit breaks own ID",
    )  # fmt: skip
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's event loop may run in this thread
        elsewhere.submit(append, world.world.settings.database_url, list(found.collect_events())).result()  # type: ignore[arg-type]


def test_no_page_has_a_serious_accessibility_finding(page_as: PageAs) -> None:
    page = page_as("ed")
    found = {}
    for name, path in FIGURE_PAGES.items():
        page.goto(path)
        found[name] = serious_findings(page)
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_every_colour_can_be_read_in_the_dark_too(page_as: PageAs) -> None:
    page = page_as("ed", scheme="dark")
    found = {}
    for name in IN_THE_DARK:
        page.goto(FIGURE_PAGES[name])
        found[name] = serious_findings(page, only=("color-contrast",))
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_a_report_is_chosen_ranged_and_downloaded(page_as: PageAs) -> None:
    page = page_as("rae")
    page.get_by_role("link", name="Reports").click()
    page.get_by_role("navigation", name="Reports").get_by_role("link", name="Refusals").click()
    expect(page.get_by_role("img", name=re.compile("by reason"))).to_be_visible()

    page.get_by_role("link", name="7 days").click()
    expect(page).to_have_url(re.compile("from=.*&to="))
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download as CSV").click()

    with Path(downloading.value.path()).open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["ending", "reason", "status", "orders", "share"]
    assert len(rows) == page.locator("tbody tr").count()


def test_a_rebuild_is_started_with_a_reason_and_followed_to_its_end(page_as: PageAs) -> None:
    page = page_as("otto")
    page.goto("/console/operations")
    page.get_by_role("navigation", name="Operations").get_by_role("link", name="Projections").click()
    page.get_by_role("link", name="conversion").click()

    page.locator("summary", has_text="Rebuild").click()
    page.locator("#rebuild-reason").fill("a column was wrong")
    page.get_by_role("button", name="Rebuild").click()

    expect(page.locator("#standing")).to_contain_text("generation 2 is served")  # by itself, where it takes longer
    expect(page.locator("#standing")).to_contain_text("a column was wrong")


def test_a_notification_is_resolved_with_the_keyboard_alone(page_as: PageAs) -> None:
    page = page_as("otto")
    page.goto("/console/operations/notifications")
    before = page.locator("article").count()
    summary = page.locator("article summary").first
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("the address was corrected")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("article")).to_have_count(before - 1)
    page.get_by_role("link", name=re.compile("^Resolved")).click()
    expect(page.locator("article").first).to_contain_text("the address was corrected")


def test_from_the_trial_balance_to_the_moment_of_an_order(page_as: PageAs) -> None:
    page = page_as("fay")
    page.get_by_role("link", name="Finance").click()
    expect(page.get_by_text("Debits equal credits")).to_be_visible()
    page.get_by_role("link", name="assets:gateway-clearing").click()

    link = page.locator("a.order").first
    number = link.inner_text()
    link.click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(number)
    expect(page).to_have_url(re.compile(r"\?at=\d+$"))


def test_a_break_is_taken_on_and_resolved_with_reasons(page_as: PageAs) -> None:
    page = page_as("fay")
    page.goto("/console/finance/breaks")
    for label, state in (("I take it on", "Owned"), ("Resolve", "Resolved")):
        page.locator("article summary", has_text=label).first.click()
        page.locator("details[open] input[name=reason]").fill("asked the gateway")
        page.get_by_role("button", name=label).click()
        page.get_by_role("link", name=re.compile(f"^{state} 1")).click()
        expect(page.locator("article").first).to_contain_text("The gateway settled less than was charged.")


def test_the_log_is_verified_from_the_page(page_as: PageAs) -> None:
    page = page_as("fay")
    page.goto("/console/finance/log")

    page.locator("summary", has_text="Verify now").click()
    page.get_by_label(re.compile("^Reason")).fill("before the month is closed")
    page.get_by_role("button", name="Verify now").click()

    expect(page.locator("#verifying")).to_contain_text("the log is what was sealed")


def test_everything_can_be_read_without_scripts(browser: Browser, page_as: PageAs, world: Lively) -> None:
    cookies = page_as("ed").context.cookies()
    context = browser.new_context(java_script_enabled=False, base_url=world.url)
    try:
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        for path in ("/console/reports/revenue", "/console/operations/projections", "/console/finance"):
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200
            assert page.locator("tbody tr").count() > 0
    finally:
        context.close()


def test_on_a_phone_amounts_and_the_newest_days_are_in_view(page_as: PageAs) -> None:
    page = page_as("ed", size=PHONE)
    page.goto("/console/finance")
    for cell in page.locator("tbody tr:first-child td.number").all()[:2]:
        expect(cell).to_be_in_viewport(ratio=0.9)
    page.goto("/console/finance/ledger")
    for header in ("Debit", "Credit"):
        expect(page.get_by_role("columnheader", name=header)).to_be_in_viewport(ratio=0.9)
    page.goto(FIGURE_PAGES["report-revenue"])
    assert page.locator("figcaption").first.evaluate("it => it.getBoundingClientRect().left") >= 0
    right = page.locator("svg.chart").first.evaluate("it => it.getBoundingClientRect().right")
    assert right <= PHONE["width"]
    page.goto(FIGURE_PAGES["report-by-promotion"])
    assert page.locator("svg.chart").first.evaluate("it => it.getBoundingClientRect().left") >= 0  # names are there


def test_no_page_is_wider_than_a_phone(page_as: PageAs) -> None:
    page = page_as("ed", size=PHONE)
    wide = {}
    for name, path in FIGURE_PAGES.items():
        page.goto(path)
        wide[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in wide.items() if width > PHONE["width"]} == {}

"""The main path of each page, by mouse, by keyboard and without scripts; and what axe says of every page."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import DESKTOP, PHONE, Lively, serious_findings
from tests.browser.pages import PAGES, SIGN_IN

PageAs = Callable[..., Page]


def test_from_the_overview_to_the_story_of_an_order_and_any_moment_of_it(page_as: PageAs, world: Lively) -> None:
    page = page_as("ed")
    number = world.orders["with a promotion"]["number"]

    page.get_by_role("link", name="Orders", exact=True).last.click()
    page.get_by_label(re.compile("^Number, id")).fill(number)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=number).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(number)
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    expect(page.locator("#at-step")).to_contain_text("1. Requested")
    expect(page).to_have_url(re.compile(r"step=1$"))
    expect(page.locator("#timeline [aria-current=step]")).to_contain_text("Requested")
    slider.press("ArrowRight")
    expect(page.locator("#at-step")).to_contain_text("2. PromotionApplied")
    expect(page.locator("#moment tr.changed").first).to_be_visible()


def test_a_charge_is_voided_with_a_reason_that_then_stands_in_the_story(page_as: PageAs, world: Lively) -> None:
    page = page_as("otto")
    order = world.world.pay(world.world.body()).order
    page.goto(f"/console/orders/{order['id']}")

    page.locator("summary", has_text="Void the charge").click()
    page.get_by_label(re.compile("^Reason")).first.fill("ordered twice by mistake")
    page.get_by_role("button", name="Void the charge").click()

    expect(page.get_by_role("status")).to_contain_text("The gateway shows the $185.00 as voided.")
    page.get_by_role("link", name="Back to the order").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("voided")
    page.locator("#timeline li", has_text="VoidRequested").locator("summary", has_text="Why").click()
    expect(page.locator("#timeline")).to_contain_text("ordered twice by mistake")


def test_an_open_order_follows_what_happens_without_a_reload(page_as: PageAs, world: Lively) -> None:
    page = page_as("ed")
    held = world.world.pay(world.world.body(payment_method_id=106)).order
    page.goto(f"/console/orders/{held['id']}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("held for review")

    world.approve(held)

    expect(page.get_by_role("heading", level=1)).to_contain_text("submitted", timeout=15_000)


def test_everything_can_be_reached_and_done_by_keyboard(browser: Browser, world: Lively) -> None:
    context = browser.new_context(viewport=DESKTOP, base_url=world.url)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(8000)
    page.goto("/console/sign-in")
    _tab_to(page, "Fay, finance")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    _tab_to(page, "Orders", skip=1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/orders")
    _tab_to(page, world.orders["paid"]["number"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(world.orders["paid"]["number"])
    _tab_to(page, "Refund the charge")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("asked for by the client")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("has not settled")
    context.close()


def test_without_scripts_the_story_is_there_and_every_moment_has_a_link(browser: Browser, world: Lively) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=world.url)
    page = context.new_page()
    page.goto("/console/sign-in")
    page.locator("button[name=person][value=ed]").click()
    page.goto(f"/console/orders/{world.orders['paid']['id']}")

    page.get_by_role("link", name="PaymentAttempted").click()
    expect(page.locator("#at-step")).to_contain_text("2. PaymentAttempted")
    page.get_by_role("link", name="Step after").click()
    expect(page.locator("#at-step")).to_contain_text("3. ")
    context.close()


def test_every_page_is_accessible_in_light_and_dark_and_no_wider_than_a_phone(page_as: PageAs, world: Lively) -> None:
    page = page_as("ed")
    found: dict[str, list[str]] = {}
    for name, path in {**PAGES, "sign-in": SIGN_IN}.items():
        if path is SIGN_IN:
            page.context.clear_cookies()
        page.goto(path(world))
        found[name] = serious_findings(page)
        page.emulate_media(color_scheme="dark")
        found[f"{name}, dark"] = serious_findings(page, ("color-contrast",))  # all that the scheme changes
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        width = page.evaluate("document.documentElement.scrollWidth")
        found[f"{name}, phone"] = [f"{width} pixels wide"] if width > PHONE["width"] else []
        page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]

    assert {name: findings for name, findings in found.items() if findings} == {}


def _tab_to(page: Page, text: str, skip: int = 0, limit: int = 120) -> None:
    """Press Tab until what is focused says so."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.innerText || ''")
        if text in focused.split("\n")[0]:
            if skip == 0:
                return
            skip -= 1
    raise AssertionError(f"{text} cannot be reached by keyboard")

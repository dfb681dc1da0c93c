"""The page of one order while it changes: the step that is looked at stays, and what it says of itself is true."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import Lively

PageAs = Callable[..., Page]


def test_the_slider_says_at_which_step_it_stands(page_as: PageAs, world: Lively) -> None:
    page = page_as("ed")
    page.goto(f"/console/orders/{world.orders['paid']['id']}")
    steps = page.locator(".slider output").inner_text()

    page.get_by_role("slider").press("Home")

    expect(page.locator(".slider output")).to_have_text("1")
    page.get_by_role("slider").press("End")
    expect(page.locator(".slider output")).to_have_text(steps)


def test_a_step_that_was_chosen_stays_when_the_order_goes_on(page_as: PageAs, world: Lively) -> None:
    page = page_as("ed")
    held = world.world.pay(world.world.body(payment_method_id=106)).order
    page.goto(f"/console/orders/{held['id']}")
    expect(page.locator("#follow")).to_contain_text(re.compile(r"This page follows the order\.\s+Read at [\d:.]+ UTC"))
    page.get_by_role("slider").press("Home")
    expect(page.locator("#at-step")).to_contain_text("1. Requested")
    expect(page.locator("#follow")).to_contain_text("An earlier step is shown below")

    world.approve(held)

    expect(page.get_by_role("heading", level=1)).to_contain_text("submitted", timeout=15_000)
    expect(page.locator("#at-step")).to_contain_text("1. Requested")
    expect(page.locator(".slider output")).to_have_text("1")


def test_back_at_the_last_step_the_page_goes_on_with_the_order(page_as: PageAs, world: Lively) -> None:
    page = page_as("ed")
    held = world.world.pay(world.world.body(payment_method_id=106)).order
    page.goto(f"/console/orders/{held['id']}?step=1")
    expect(page.locator("#follow")).to_contain_text("An earlier step is shown below")
    page.get_by_role("slider").press("End")
    expect(page.locator("#follow")).to_contain_text("This page follows the order.")

    world.approve(held)

    expect(page.locator("#at-step")).to_contain_text("Closed")


def test_without_scripts_the_page_says_how_to_see_what_is_new(browser: Browser, world: Lively) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=world.url)
    page = context.new_page()
    page.goto("/console/sign-in")
    page.locator("button[name=person][value=ed]").click()
    held = world.world.pay(world.world.body(payment_method_id=106)).order
    page.goto(f"/console/orders/{held['id']}")

    expect(page.get_by_text("This page follows the order.")).to_be_hidden()
    page.get_by_role("link", name="Reload").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(held["number"])
    context.close()


def test_a_part_that_is_asked_for_after_the_session_leads_to_the_sign_in(page_as: PageAs, world: Lively) -> None:
    page = page_as("ed")
    page.goto(f"/console/orders/{world.orders['paid']['id']}")
    page.context.clear_cookies()

    page.get_by_role("slider").press("Home")

    expect(page.get_by_label("Session token")).to_be_visible()

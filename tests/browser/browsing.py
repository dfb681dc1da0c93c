"""A browser, signed-in pages, and a world in which orders have ended in every way that matters to the eye."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it brings no types
from playwright.sync_api import Browser, Page, sync_playwright

from tests.end_to_end.kinds import orders_of_each_kind
from tests.end_to_end.world import World, opened_world

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
PAGE_LIMIT_MS = 8000
SERIOUS = ("serious", "critical")
MISSING = "no browser: apt-get install chromium"

Scheme = Literal["light", "dark"]


def chromium() -> str | None:
    """Where the machine's own chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def opened_browser() -> Iterator[Browser]:
    path = chromium()
    assert path is not None, MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class Lively:
    """A world with an order of each kind, by name: see tests/end_to_end/kinds.py."""

    world: World
    orders: dict[str, dict[str, Any]]

    @property
    def url(self) -> str:
        return self.world.url

    def approve(self, order: dict[str, Any]) -> None:
        """The gateway captures a payment that it held."""
        gateway, transaction_id = self.world.vendors.gateway.url, order["payment"]["transaction_id"]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(f"{gateway}/_held/{transaction_id}/approve", b"", timeout=5).close()


@contextmanager
def lively_world(folder: Path) -> Iterator[Lively]:
    with opened_world(f"sqlite:///{folder}/orders.db", folder, recovery_interval_s=0.2) as world:
        yield Lively(world, orders_of_each_kind(world))


@contextmanager
def signed_in_page(
    browser: Browser, url: str, person: str, *, scheme: Scheme = "light", size: dict[str, int] | None = None
) -> Iterator[Page]:
    """A page of a fresh browser profile, signed in by the one-click button. What breaks in the page's scripts, or
    against its content policy, fails the test."""
    context = browser.new_context(color_scheme=scheme, viewport=size or DESKTOP, base_url=url)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(PAGE_LIMIT_MS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    try:
        page.goto("/console/sign-in")
        page.locator(f"button[name=person][value={person}]").click()
        page.wait_for_url("**/console/")
        yield page
    finally:
        context.close()
    assert not [problem for problem in problems if "the server responded with a status of 4" not in problem], problems


def serious_findings(page: Page, only: tuple[str, ...] = ()) -> list[str]:
    """What axe (WCAG 2.1 A and AA, best practices) finds serious or critical on the page as it is shown, of all its
    rules or of some."""
    options = {"runOnly": {"type": "rule", "values": list(only)}} if only else {}
    answer = Axe().run(page, options={"resultTypes": ["violations"], **options}).response
    assert answer["passes"], "axe has looked"
    found = answer["violations"]
    return [
        f"{finding['id']} ({finding['impact']}): {finding['help']}: {[node['target'] for node in finding['nodes']][:3]}"
        for finding in found
        if finding["impact"] in SERIOUS
    ]

"""One browser and one world for all tests of this folder; `page_as("ed")` is a page of somebody who is signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.browsing import MISSING, Lively, chromium, lively_world, opened_browser, signed_in_page


# Of the package, and the world before the browser: while Playwright is there its event loop runs in this thread, and
# nobody else can start one.
@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lively]:
    if chromium() is None:
        pytest.skip(MISSING)
    with lively_world(tmp_path_factory.mktemp("browser")) as world:
        yield world


@pytest.fixture(scope="package")
def browser(world: Lively) -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


@pytest.fixture
def page_as(browser: Browser, world: Lively) -> Iterator[Callable[..., Page]]:
    """`page_as("ed", scheme="dark", size=PHONE)`; closed at the end of the test."""
    with ExitStack() as stack:
        yield lambda person, **wishes: stack.enter_context(signed_in_page(browser, world.url, person, **wishes))

"""The ledger, the ordered faults and the outbox page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.sandbox.mandrill.client import Browser, with_sandbox


def test_the_ledger_tells_every_message_and_how_often_each_was_sent() -> None:
    async def scenario(browser: Browser) -> None:
        for _ in range(2):
            await browser.send()
        ledger = await browser.ledger()
        assert ledger["sends"] == {"email-1": 2}
        first = ledger["messages"][0]
        assert (first["email"], first["status"], first["tags"]) == ("anna@example.com", "sent", ["order-confirmation"])
        assert first["metadata"]["email_id"] == "email-1"
        assert first["ts"] > 0
        assert first["_id"]

    with_sandbox(scenario)


def test_a_reset_forgets_messages_and_faults() -> None:
    async def scenario(browser: Browser) -> None:
        await browser.send()
        await browser.control("_faults", outcome="mail-500", sends=3, delay_ms=5)
        await browser.control("_ledger/reset")
        ledger = await browser.ledger()
        assert (ledger["messages"], ledger["sends"], ledger["calls"]) == ([], {}, {})
        assert ledger["faults"] == {"outcome": None, "sends": 0, "delay_ms": 0}

    with_sandbox(scenario)


def test_ordered_faults_replace_the_endings_of_the_next_sends() -> None:
    async def scenario(browser: Browser) -> None:
        status, ordered = await browser.control("_faults", outcome="mail-500", sends=2)
        assert (status, ordered["sends"]) == (200, 2)
        assert [(await browser.send())[0] for _ in range(3)] == [500, 500, 200]
        await browser.control("_faults", outcome="sent")
        assert (await browser.send("mail-error@example.com"))[0] == 200

    with_sandbox(scenario)


def test_an_ordered_delay_holds_for_every_send() -> None:
    async def scenario(browser: Browser) -> None:
        await browser.control("_faults", delay_ms=150)
        started = asyncio.get_running_loop().time()
        await browser.send()
        assert asyncio.get_running_loop().time() - started >= 0.15

    with_sandbox(scenario)


@pytest.mark.parametrize(
    "wish", [{"outcome": "no-such"}, {"outcome": []}, {"delay_ms": -1}, {"outcome": "sent", "sends": True}, {"x": 1}]
)
def test_a_fault_that_nobody_knows_is_refused_and_changes_nothing(wish: dict[str, Any]) -> None:
    async def scenario(browser: Browser) -> None:
        assert (await browser.control("_faults", **wish))[0] == 400
        assert (await browser.send())[0] == 200

    with_sandbox(scenario)


def test_the_page_says_sandbox_and_shows_the_messages_escaped() -> None:
    async def scenario(browser: Browser) -> None:
        await browser.send(subject="<script>alert(1)</script>", html='<b>"Thanks"</b>', text="a < b")
        response, page = await browser.page()
        assert response.content_type == "text/html"
        assert "SANDBOX" in page
        assert "<script>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert 'srcdoc="&lt;b&gt;&quot;Thanks&quot;&lt;/b&gt;"' in page
        assert "a &lt; b" in page
        assert "mail-nonsense@" in page

    with_sandbox(scenario)


def test_bodies_are_kept_of_the_newest_messages_only() -> None:
    async def scenario(browser: Browser) -> None:
        await browser.send(text="the older one")
        await browser.send(text="the newer one")
        _, page = await browser.page()
        assert "the newer one" in page
        assert "the older one" not in page
        assert len((await browser.ledger())["messages"]) == 2

    with_sandbox(scenario, max_bodies=1)


@pytest.mark.parametrize("path", ["/", "/_ledger", "/no-such-page"])
def test_every_answer_says_that_it_is_the_sandbox(path: str) -> None:
    async def scenario(browser: Browser) -> None:
        async with browser.session.get(browser.url + path) as response:
            assert response.headers["X-Sandbox"] == "true"

    with_sandbox(scenario)

"""messages/search and messages/info of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.mandrill.client import Browser, FixedClock, with_sandbox


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"anna", "bert"}),
        ({"query": "*"}, {"anna", "bert"}),
        ({"query": 'u_email_id:"email-a"'}, {"anna"}),
        ({"query": "u_order_id:order-1"}, {"anna", "bert"}),
        ({"query": "u_secret:hidden"}, set()),  # a field the account does not index
        ({"query": "email:bert@example.com"}, {"bert"}),
        ({"query": 'subject:"for bert" AND u_order_id:order-1'}, {"bert"}),
        ({"query": "email-a"}, {"anna"}),
        ({"tags": ["blue", "red"]}, {"anna"}),
        ({"tags": ["green"]}, set()),
        ({"senders": ["orders@example.com"]}, {"anna", "bert"}),
        ({"senders": ["others@example.com"]}, set()),
        ({"date_from": "2025-03-15"}, set()),
        ({"date_from": "2025-03-14", "date_to": "2025-03-14"}, {"anna", "bert"}),
        ({"date_to": "2025-03-13", "date_from": "2025-03-01"}, set()),
    ],
    ids=lambda value: str(sorted(value)) if isinstance(value, set) else str(value),
)
def test_a_search_filters_by_query_tags_senders_and_days(query: dict[str, Any], found: set[str]) -> None:
    async def scenario(browser: Browser) -> None:
        ids = {"order_id": "order-1", "secret": "hidden"}
        await browser.send("anna@example.com", tags=["red"], metadata={**ids, "email_id": "email-a"})
        await browser.send("bert@example.com", subject="Something for Bert", metadata={**ids, "email_id": "email-b"})
        rows = await browser.search(**query)
        assert {row["email"].partition("@")[0] for row in rows} == found

    with_sandbox(scenario, clock=FixedClock())


def test_a_search_without_dates_sees_seven_days() -> None:
    clock = FixedClock()

    async def scenario(browser: Browser) -> None:
        await browser.send()
        clock.advance(days=6)
        assert len(await browser.search()) == 1
        clock.advance(days=2)
        assert await browser.search() == []
        assert len(await browser.search(date_from="2025-03-01")) == 1

    with_sandbox(scenario, clock=clock)


def test_a_message_shows_after_the_index_delay_but_can_be_asked_for_at_once() -> None:
    clock = FixedClock()

    async def scenario(browser: Browser) -> None:
        _, [row] = await browser.send()
        assert await browser.search() == []
        assert (await browser.call("messages/info", id=row["_id"]))[0] == 200
        clock.advance(seconds=30)
        assert len(await browser.search()) == 1

    with_sandbox(scenario, clock=clock, index_delay_s=30.0)


def test_a_search_answers_at_most_its_limit_the_newest_first() -> None:
    async def scenario(browser: Browser) -> None:
        for name in ("first", "second", "third"):
            await browser.send(f"{name}@example.com")
        assert [row["email"] for row in await browser.search(limit=2)] == ["third@example.com", "second@example.com"]
        assert len(await browser.search(limit=5_000)) == 3

    with_sandbox(scenario)


def test_more_searches_a_minute_than_allowed_are_answered_with_429() -> None:
    clock = FixedClock()

    async def scenario(browser: Browser) -> None:
        for _ in range(2):
            await browser.search()
        assert (await browser.call("messages/search"))[0] == 429
        clock.advance(seconds=60)
        await browser.search()

    with_sandbox(scenario, clock=clock, searches_per_minute=2)


@pytest.mark.parametrize("body", [{"limit": 0}, {"limit": "7"}, {"date_from": "soon"}, {"tags": "red"}, {"query": 7}])
def test_a_search_that_makes_no_sense_is_a_validation_error(body: dict[str, Any]) -> None:
    async def scenario(browser: Browser) -> None:
        status, answer = await browser.call("messages/search", **body)
        assert (status, answer["name"]) == (400, "ValidationError")

    with_sandbox(scenario)


@pytest.mark.parametrize(
    ("local", "state"),
    [("hard_bounce", "bounced"), ("soft_bounce", "soft-bounced"), ("spam", "spam"), ("reject", "rejected")],
)
def test_the_vendors_test_recipients_have_their_later_state(local: str, state: str) -> None:
    async def scenario(browser: Browser) -> None:
        await browser.send(f"{local}@test.mandrillapp.com")
        [row] = await browser.search()
        assert row["state"] == state

    with_sandbox(scenario)

"""Signed events about accepted messages."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from api.sandbox.mandrill.webhooks import SIGNATURE_HEADER, sign
from api.sandbox.running import RunningSandbox
from tests.sandbox.mandrill.client import Browser, sandbox

KEY = "key-of-the-webhook"


class Receiver:
    """Takes webhooks; answers the given statuses in turn, then 200."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.posts: list[tuple[str, dict[str, str]]] = []
        self.accepted = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.posts.append((request.headers[SIGNATURE_HEADER], form))
        status = self._statuses.pop(0) if self._statuses else 200
        if status == 200:
            self.accepted.set()
        return web.Response(status=status)


async def told(receiver: Receiver, recipient: str) -> tuple[str, list[dict[str, Any]]]:
    """The webhook URL, and the events that arrive after one send."""
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    async with RunningSandbox(app) as running:
        url = f"{running.url}/hook"
        async with sandbox(webhook_url=url, webhook_key=KEY, webhook_pauses_s=(0.01,)) as browser:
            await browser.send(recipient)
            await asyncio.wait_for(receiver.accepted.wait(), 5)
    return url, json.loads(receiver.posts[-1][1]["mandrill_events"])


def test_the_signature_covers_the_url_and_every_field_sorted_by_name() -> None:
    assert sign("https://example.com/hook", {"b": "2", "a": "1"}, "secret") == "6p7d6pKIXLQd8QF7HnvGI8m2fxY="


def test_a_send_is_told_with_a_signature_that_holds() -> None:
    async def scenario() -> None:
        receiver = Receiver()
        url, [event] = await told(receiver, "anna@example.com")
        signature, form = receiver.posts[0]
        assert signature == sign(url, form, KEY)
        assert (event["event"], event["msg"]["email"], event["_id"]) == (
            "send",
            "anna@example.com",
            event["msg"]["_id"],
        )
        assert event["msg"]["metadata"]["email_id"] == "email-1"

    asyncio.run(scenario())


def test_a_bounce_is_told_after_the_send() -> None:
    async def scenario() -> None:
        _, events = await told(Receiver(), "hard_bounce@test.mandrillapp.com")
        assert [event["event"] for event in events] == ["send", "hard_bounce"]

    asyncio.run(scenario())


def test_a_webhook_that_is_not_accepted_is_posted_again() -> None:
    async def scenario() -> None:
        receiver = Receiver(500)
        await told(receiver, "anna@example.com")
        assert len(receiver.posts) == 2
        assert receiver.posts[0] == receiver.posts[1]

    asyncio.run(scenario())


def test_a_receiver_that_is_away_does_not_disturb_sends() -> None:
    async def scenario() -> None:
        async with sandbox(webhook_url="http://127.0.0.1:9/hook", webhook_key=KEY) as browser:
            assert (await send_twice(browser)) == [200, 200]

    asyncio.run(scenario())


async def send_twice(browser: Browser) -> list[int]:
    return [(await browser.send())[0] for _ in range(2)]

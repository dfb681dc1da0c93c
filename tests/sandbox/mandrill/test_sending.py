"""What a send answers, what it leaves in the outbox, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from api.sandbox.mandrill.recipients import ENDINGS, Answer
from tests.sandbox.mandrill.client import Browser, message, with_sandbox


def test_every_ending_that_answers_rows_answers_its_status_and_reason() -> None:
    async def scenario(browser: Browser) -> None:
        for local, ending in ENDINGS.items():
            if ending.answer == Answer.ROWS and ending.broken_row is None:
                _, [row] = await browser.send(f"{local}@anywhere.example")
                reason = row["queued_reason"] if row["status"] == "queued" else row["reject_reason"]
                assert (row["status"], reason) == (ending.status, ending.reason), local
                assert len(row["_id"]) == 32

    with_sandbox(scenario, slow_s=0.01)


def test_every_error_has_mandrills_shape() -> None:
    async def scenario(browser: Browser) -> None:
        for local, ending in ENDINGS.items():
            if ending.answer == Answer.ERROR:
                status, body = await browser.send(f"{local}@anywhere.example", metadata={"email_id": local})
                assert status >= 400
                assert (body["status"], body["name"], set(body)) == (
                    "error",
                    ending.error,
                    {"status", "code", "name", "message"},
                )
        assert (await browser.ledger())["messages"] == []

    with_sandbox(scenario)


def test_a_plus_part_of_the_address_changes_nothing() -> None:
    async def scenario(browser: Browser) -> None:
        _, [row] = await browser.send("Reject+anna@test.mandrillapp.com")
        assert row["status"] == "rejected"

    with_sandbox(scenario)


@pytest.mark.parametrize(("local", "accepted"), [("mail-sent-then-dropped", 1), ("mail-dropped", 0)])
def test_a_dropped_connection_leaves_the_message_sent_or_not(local: str, accepted: int) -> None:
    async def scenario(browser: Browser) -> None:
        with pytest.raises(aiohttp.ClientConnectionError):
            await browser.send(f"{local}@example.com")
        assert len((await browser.ledger())["messages"]) == accepted

    with_sandbox(scenario)


@pytest.mark.parametrize(("local", "accepted"), [("mail-sent-then-timeout", 1), ("mail-timeout", 0)])
def test_a_send_without_an_answer_leaves_the_message_sent_or_not(local: str, accepted: int) -> None:
    async def scenario(browser: Browser) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(browser.send(f"{local}@example.com"), 0.2)
        assert len((await browser.ledger())["messages"]) == accepted

    with_sandbox(scenario)


def test_a_recipient_that_fails_once_gets_the_next_try() -> None:
    async def scenario(browser: Browser) -> None:
        first, _ = await browser.send("mail-error-once@example.com")
        second, _ = await browser.send("mail-error-once@example.com")
        ledger = await browser.ledger()
        assert (first, second) == (400, 200)
        assert (ledger["calls"], ledger["sends"]) == ({"email-1": 2}, {"email-1": 1})

    with_sandbox(scenario)


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"nested": {"order_id": "1"}}},
        {"metadata": {"order_id": "x" * 250}},
        {"tags": ["x" * 51]},
        {"tags": ["_reserved"]},
        {"to": []},
        {"to": [{"name": "Anna"}]},
        {"from_email": "nobody"},
        {"subject": 7},
    ],
    ids=str,
)
def test_a_message_beyond_the_documented_limits_is_a_validation_error(changes: dict[str, Any]) -> None:
    async def scenario(browser: Browser) -> None:
        status, body = await browser.call("messages/send", message=message(**changes))
        assert (status, body["name"]) == (400, "ValidationError")
        assert (await browser.ledger())["messages"] == []

    with_sandbox(scenario)


def test_metadata_of_250_bytes_and_a_tag_of_50_characters_are_taken() -> None:
    async def scenario(browser: Browser) -> None:
        metadata = {"email_id": "x" * (250 - len('{"email_id":""}'))}
        status, _ = await browser.send(metadata=metadata, tags=["x" * 50])
        assert status == 200

    with_sandbox(scenario)


def test_a_call_without_a_key_or_a_struct_is_a_validation_error() -> None:
    async def scenario(browser: Browser) -> None:
        status, body = await browser.call("users/ping", key=None)
        assert (status, body["name"]) == (400, "ValidationError")
        async with browser.session.post(f"{browser.url}/api/1.3/users/ping.json", data=b"[[[") as response:
            assert (response.status, (await response.json())["name"]) == (400, "ValidationError")

    with_sandbox(scenario)


def test_a_full_outbox_answers_service_unavailable() -> None:
    async def scenario(browser: Browser) -> None:
        assert (await browser.send())[0] == 200
        status, body = await browser.send()
        assert (status, body["name"]) == (503, "ServiceUnavailable")

    with_sandbox(scenario, max_messages=1)

"""What a send asks for, how every ending of the sandbox is told, and what many sends at once cost."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import aiohttp
import pytest

from api.sandbox.mandrill.recipients import ENDINGS
from application.adapters.mandrill import MandrillMailer
from application.adapters.mandrill.config import MandrillConfig
from application.ports import Mailer, MailResult
from tests.application.adapters.mandrill.wire import (
    EMAIL_ID,
    KEY,
    ORDER_ID,
    Script,
    email,
    mailer_at,
    run,
    sandbox,
    serving,
)

# every ending of the sandbox's table → status and reason of the result
EXPECTED: dict[str, tuple[str, str | None]] = {
    "reject": ("rejected", "custom"),
    "hard_bounce": ("sent", None),
    "soft_bounce": ("sent", None),
    "spam": ("sent", None),
    "mail-rejected": ("rejected", "hard-bounce"),
    "mail-invalid": ("invalid", "invalid"),
    "mail-queued": ("queued", "backlogged"),
    "mail-scheduled": ("scheduled", None),
    "mail-slow": ("sent", None),
    "mail-error": ("failed", "validation-error"),
    "mail-error-once": ("failed", "validation-error"),
    "mail-bad-key": ("failed", "invalid-key"),
    "mail-unpaid": ("failed", "payment-required"),
    "mail-500": ("failed", "general-error"),
    "mail-503": ("failed", "service-unavailable"),
    "mail-empty": ("unknown", "nonsense"),
    "mail-empty-500": ("unknown", "http-5xx"),
    "mail-nonsense": ("unknown", "nonsense"),
    "mail-502": ("unknown", "http-5xx"),
    "mail-too-large": ("unknown", "too-large"),
    "mail-no-id": ("unknown", "nonsense"),
    "mail-odd-status": ("unknown", "nonsense"),
    "mail-other-row": ("unknown", "nonsense"),
    "mail-timeout": ("unknown", "time-out"),
    "mail-timeout-once": ("unknown", "time-out"),
    "mail-dropped": ("unknown", "connection-lost"),
    "mail-sent-then-timeout": ("unknown", "time-out"),
    "mail-sent-then-dropped": ("unknown", "connection-lost"),
}
ROW = {"email": "anna@example.com", "status": "sent", "_id": "0123456789abcdef0123456789abcdef", "reject_reason": None}


def test_every_ending_of_the_sandbox_has_its_result() -> None:
    async def scenario() -> None:
        async with sandbox(slow_s=0.05) as url, mailer_at(url, deadline_s=1.0) as mailer:
            sends = [mailer.send(email(f"{local}@example.com", local)) for local in ENDINGS]
            results = {result.email_id: (result.status, result.reason) for result in await asyncio.gather(*sends)}
        assert results == EXPECTED

    run(scenario())


def test_the_message_names_one_recipient_order_and_email_and_tracks_nobody() -> None:
    async def scenario() -> None:
        script = Script([ROW])
        async with serving(script.answer) as url, mailer_at(url) as mailer:
            await mailer.send(email())
        assert script.paths == ["/api/1.3/messages/send.json"]
        [body] = script.bodies
        assert (body["key"], body["async"]) == (KEY, False)
        assert body["message"] == {
            "from_email": "orders@example.com",
            "from_name": "Orders",
            "to": [{"email": "anna@example.com", "type": "to"}],
            "subject": "Order 1001 is confirmed",
            "text": "Thank you",
            "html": "<p>Thank you</p>",
            "metadata": {"order_id": str(ORDER_ID), "email_id": EMAIL_ID},
            "tags": ["order"],
            "track_opens": False,
            "track_clicks": False,
            "preserve_recipients": False,
        }

    run(scenario())


def test_a_sender_without_a_name_sends_no_name() -> None:
    async def scenario() -> None:
        script = Script([ROW])
        async with serving(script.answer) as url, mailer_at(url, email_from="orders@example.com") as mailer:
            await mailer.send(email())
        assert "from_name" not in script.bodies[0]["message"]

    run(scenario())


def test_a_sender_without_an_address_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="address"):
        MandrillMailer(MandrillConfig("http://127.0.0.1:1", KEY, "Orders"))


def test_calls_share_no_body_and_leave_the_clients_defaults_alone() -> None:
    async def scenario() -> None:
        script = Script("PONG!")
        async with serving(script.answer) as url, mailer_at(url) as first, mailer_at(url, "another-key") as second:
            await asyncio.gather(first.check_key(), second.check_key(), first.send(email()))
        assert sorted(body["key"] for body in script.bodies) == ["another-key", KEY, KEY]
        assert sorted(len(body) for body in script.bodies) == [1, 1, 3]

    run(scenario())


def test_the_key_shows_nowhere() -> None:
    config = MandrillConfig("http://127.0.0.1:1/api/1.3", KEY, "orders@example.com")
    result = run(unreachable(config))
    assert KEY not in repr(config)
    assert KEY not in repr(result)
    assert KEY not in repr(MandrillMailer(config))


async def unreachable(config: MandrillConfig) -> MailResult:
    mailer = MandrillMailer(config)
    try:
        return await mailer.send(email())
    finally:
        await mailer.close()


def test_hundreds_of_sends_wait_at_once_without_a_thread_each() -> None:
    async def scenario() -> None:
        async with sandbox(delay_ms=800) as url, mailer_at(url, deadline_s=5.0) as mailer:
            port: Mailer = mailer
            started, threads = asyncio.get_running_loop().time(), threading.active_count()
            sends = [asyncio.create_task(port.send(email(f"p{i}@example.com", f"email-{i}"))) for i in range(300)]
            await asyncio.sleep(0.5)
            assert threading.active_count() - threads <= 2
            results = await asyncio.gather(*sends)
            assert all(result.succeeded for result in results)
            assert asyncio.get_running_loop().time() - started < 4

    run(scenario())


def test_one_send_reaches_the_provider_once_even_when_the_answer_is_lost() -> None:
    async def scenario() -> None:
        async with sandbox() as url, mailer_at(url) as mailer:
            warm = await mailer.send(email("bert@example.com", "warm"))  # the next send goes over a used connection
            lost = await mailer.send(email("mail-sent-then-dropped@example.com"))
            ledger = await ledger_of(url)
        assert (warm.status, lost.status) == ("sent", "unknown")
        assert ledger["calls"] == {"warm": 1, EMAIL_ID: 1}

    run(scenario())


async def ledger_of(url: str) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url.removesuffix("/api/1.3") + "/_ledger") as response,
    ):
        return await response.json()

"""The facts we rely on, true of the sandbox always, and of Mandrill itself where a test key is given.

ORDERS_TEST_MANDRILL_API_KEY is a test key: nothing is delivered. ORDERS_TEST_EMAIL_FROM is a sender that the account
may use.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.adapters.mandrill import MandrillMailer
from tests.application.adapters.mandrill.wire import FROM, KEY, email, mailer_at, run, sandbox

VENDOR_URL = "https://mandrillapp.com/api/1.3"
VENDOR_KEY = os.environ.get("ORDERS_TEST_MANDRILL_API_KEY", "")

Scenario = Callable[["Provider"], Awaitable[None]]


@dataclass
class Provider:
    """A mail provider under the contract, with the right key and with a wrong one."""

    mailer: MandrillMailer
    stranger: MandrillMailer


async def with_provider(kind: str, scenario: Scenario) -> None:
    async with AsyncExitStack() as stack:
        url, key = (VENDOR_URL, VENDOR_KEY) if kind == "vendor" else (await stack.enter_async_context(sandbox()), KEY)
        sender = os.environ.get("ORDERS_TEST_EMAIL_FROM", FROM)
        mailer = await stack.enter_async_context(mailer_at(url, key, sender))
        stranger = await stack.enter_async_context(mailer_at(url, "not-a-key-of-anybody", sender))
        await scenario(Provider(mailer, stranger))


@pytest.fixture(
    params=[
        "sandbox",
        pytest.param(
            "vendor", marks=[pytest.mark.vendor, pytest.mark.skipif(not VENDOR_KEY, reason="no key of a test account")]
        ),
    ]
)
def holds(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    def check(scenario: Scenario) -> None:
        main: Coroutine[Any, Any, None] = with_provider(request.param, scenario)
        run(main)

    return check


def test_our_key_is_accepted_and_another_is_not(holds: Callable[[Scenario], None]) -> None:
    async def scenario(provider: Provider) -> None:
        assert await provider.mailer.check_key()
        assert not await provider.stranger.check_key()

    holds(scenario)


def test_a_message_to_an_ordinary_address_succeeds_with_an_id(holds: Callable[[Scenario], None]) -> None:
    async def scenario(provider: Provider) -> None:
        result = await provider.mailer.send(email("anna@example.com", uuid4().hex))
        assert result.succeeded
        assert result.message_id

    holds(scenario)


def test_a_message_to_the_rejecting_recipient_is_rejected_for_good(holds: Callable[[Scenario], None]) -> None:
    async def scenario(provider: Provider) -> None:
        result = await provider.mailer.send(email("reject@test.mandrillapp.com", uuid4().hex))
        assert (result.status, result.final) == ("rejected", True)

    holds(scenario)


def test_a_message_to_the_bouncing_recipient_is_accepted_first(holds: Callable[[Scenario], None]) -> None:
    async def scenario(provider: Provider) -> None:
        assert (await provider.mailer.send(email("hard_bounce@test.mandrillapp.com", uuid4().hex))).succeeded

    holds(scenario)


def test_a_send_with_a_wrong_key_fails_as_invalid_key(holds: Callable[[Scenario], None]) -> None:
    async def scenario(provider: Provider) -> None:
        result = await provider.stranger.send(email())
        assert (result.status, result.reason) == ("failed", "invalid-key")

    holds(scenario)


def test_a_message_that_was_never_sent_is_not_found(holds: Callable[[Scenario], None]) -> None:
    async def scenario(provider: Provider) -> None:
        assert await provider.mailer.find(uuid4().hex, since=datetime.now(UTC) - timedelta(days=1)) is None

    holds(scenario)


def test_the_account_indexes_email_id(holds: Callable[[Scenario], None]) -> None:
    async def scenario(provider: Provider) -> None:
        assert await provider.mailer.finds_by_email_id()

    holds(scenario)

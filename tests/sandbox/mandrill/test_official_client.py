"""The vendor's own client, unchanged, works against the sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

import mailchimp_transactional
import pytest
import requests
from mailchimp_transactional.api_client import ApiClientError

from tests.sandbox.mandrill.client import KEY, Browser, message, with_sandbox


def client_for(browser: Browser, key: str = KEY) -> Any:
    client = mailchimp_transactional.Client(key)
    client.api_client.host = f"{browser.url}/api/1.3"
    return client


def test_the_official_client_pings_sends_searches_and_asks() -> None:
    async def scenario(browser: Browser) -> None:
        client = client_for(browser)

        def talk() -> None:
            assert client.users.ping({}) == "PONG!"
            assert client.users.ping2({}) == {"PING": "PONG!"}
            [row] = client.messages.send({"message": message()})
            assert (row["email"], row["status"], row["reject_reason"]) == ("anna@example.com", "sent", None)
            [found] = client.messages.search({"query": "u_email_id:email-1"})
            assert found["_id"] == row["_id"]
            assert found["metadata"] == {"order_id": "order-1", "email_id": "email-1"}
            assert client.messages.info({"id": row["_id"]})["state"] == "sent"
            assert {field["name"] for field in client.metadata.list({})} == {"order_id", "email_id"}

        await asyncio.to_thread(talk)

    with_sandbox(scenario)


@pytest.mark.parametrize(
    ("recipient", "http_status", "name"),
    [("mail-error@example.com", 400, "ValidationError"), ("mail-500@example.com", 500, "GeneralError")],
)
def test_the_official_client_raises_its_error_for_an_error_object(recipient: str, http_status: int, name: str) -> None:
    async def scenario(browser: Browser) -> None:
        def talk() -> None:
            with pytest.raises(ApiClientError) as caught:
                client_for(browser).messages.send({"message": message(recipient)})
            assert (caught.value.status_code, caught.value.text["name"]) == (http_status, name)

        await asyncio.to_thread(talk)

    with_sandbox(scenario)


@pytest.mark.parametrize("recipient", ["mail-empty@example.com", "mail-empty-500@example.com"])
def test_the_official_client_hands_out_a_raw_response_for_an_empty_answer(recipient: str) -> None:
    async def scenario(browser: Browser) -> None:
        answer = await asyncio.to_thread(client_for(browser).messages.send, {"message": message(recipient)})
        assert isinstance(answer, requests.Response)

    with_sandbox(scenario)


def test_the_official_client_is_told_of_a_wrong_key_and_an_unknown_message() -> None:
    async def scenario(browser: Browser) -> None:
        def talk() -> None:
            with pytest.raises(ApiClientError) as wrong_key:
                client_for(browser, "another-key").users.ping({})
            assert (wrong_key.value.status_code, wrong_key.value.text["name"]) == (401, "Invalid_Key")
            with pytest.raises(ApiClientError) as unknown:
                client_for(browser).messages.info({"id": "0" * 32})
            assert (unknown.value.status_code, unknown.value.text["name"]) == (404, "Unknown_Message")

        await asyncio.to_thread(talk)

    with_sandbox(scenario)

"""Every line of the profile table, as a caller meets it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiohttp import ClientSession, ServerDisconnectedError

from api.sandbox.authorizenet import create_app
from api.sandbox.authorizenet.profiles import PROFILE_IDS, PROFILES, Delivery
from api.sandbox.running import RunningSandbox
from tests.sandbox.authorizenet.client import CONFIG, Client, charge_body, with_sandbox

ANSWERED = {
    "approved": ("I00001", ("1", "1"), "capturedPendingSettlement"),
    "declined": ("I00001", ("2", "2"), "declined"),
    "card-number-invalid": ("E00027", ("3", "6"), None),
    "card-expired": ("E00027", ("3", "8"), None),
    "card-type-refused": ("E00027", ("3", "17"), None),
    "held": ("I00001", ("4", "252"), "FDSPendingReview"),
    "held-authorized": ("I00001", ("4", "253"), "FDSAuthorizedPendingReview"),
    "bad-keys": ("E00007", (None, None), None),
    "login-refused": ("E00027", ("3", "13"), None),
    "gateway-error": ("E00027", ("3", "5"), None),
    "processor-unsure": ("E00027", ("3", "19"), None),
    "gateway-unsure": ("E00001", (None, None), None),
    "duplicate": ("E00027", ("3", "11"), None),
    "partial": ("I00001", ("4", "295"), "authorizedPendingRelease"),
    "test-mode": ("I00001", ("1", "1"), None),
    "profile-not-found": ("E00040", (None, None), None),
    "slow": ("I00001", ("1", "1"), "capturedPendingSettlement"),
}
UNANSWERED = {
    "time-out": TimeoutError,
    "charged-then-time-out": TimeoutError,
    "charged-then-dropped": ServerDisconnectedError,
    "dropped-before-charge": ServerDisconnectedError,
    "approved-late": ServerDisconnectedError,
}
BROKEN = {"http-500": 500, "http-502": 502, "nonsense": 200, "empty": 200, "oversized": 200}


def test_every_profile_is_covered_here_and_ids_are_consecutive() -> None:
    assert set(PROFILE_IDS) == set(ANSWERED) | set(UNANSWERED) | set(BROKEN)
    assert list(PROFILES) == [str(800000001 + place) for place in range(len(PROFILES))]


@pytest.mark.parametrize("slug", ANSWERED)
def test_an_answered_profile_gives_its_codes_and_records_its_status(slug: str) -> None:
    async def scenario(client: Client) -> None:
        code, outcome, status = ANSWERED[slug]
        reply = await client.charge(slug)
        assert (reply.status, reply.code, reply.outcome) == (200, code, outcome)
        assert [row["status"] for row in await client.transactions()] == ([status] if status else [])
        known = reply["transactionResponse/transId"] not in (None, "0")
        assert known == (status is not None)

    with_sandbox(scenario)


@pytest.mark.parametrize("slug", UNANSWERED)
def test_an_unanswered_profile_gives_no_byte_and_charges_only_where_its_line_says_so(slug: str) -> None:
    async def scenario(client: Client) -> None:
        with pytest.raises(UNANSWERED[slug]):
            async with asyncio.timeout(0.15):
                await client.charge(slug)
        if slug == "approved-late":
            assert await client.transactions() == []
            await asyncio.sleep(CONFIG.late_s + 0.05)
        assert len(await client.transactions()) == PROFILES[PROFILE_IDS[slug]].performed

    with_sandbox(scenario)


@pytest.mark.parametrize("slug", BROKEN)
def test_a_broken_answer_charges_only_where_its_line_says_so(slug: str) -> None:
    async def scenario(client: Client) -> None:
        status, _, body = await client.raw(charge_body(slug))
        assert status == BROKEN[slug]
        assert {
            "http-500": body == b"Internal Server Error",
            "http-502": body.startswith(b"<html>"),
            "nonsense": b"nonsense" in body,
            "empty": body == b"",
            "oversized": len(body) > CONFIG.oversized_bytes,
        }[slug]
        assert len(await client.transactions()) == PROFILES[PROFILE_IDS[slug]].performed

    with_sandbox(scenario)


def test_a_request_that_is_never_answered_is_dropped_after_the_limit() -> None:
    async def scenario(client: Client) -> None:
        with pytest.raises(ServerDisconnectedError):
            await client.charge("time-out")

    with_sandbox(scenario, replace(CONFIG, hang_s=0.05))


def test_the_server_stops_at_once_although_requests_hang() -> None:
    async def charge(client: Client, number: int) -> None:
        with pytest.raises(ServerDisconnectedError):
            await client.charge("charged-then-time-out", invoice=str(number))

    async def main() -> None:
        async with ClientSession() as session, asyncio.timeout(1.0):
            async with RunningSandbox(create_app(replace(CONFIG, hang_s=60))) as sandbox:
                client = Client(session, sandbox.url)
                hanging = [asyncio.create_task(charge(client, number)) for number in range(5)]
                while len(await client.transactions()) < 5:
                    await asyncio.sleep(0.01)
            await asyncio.gather(*hanging)

    asyncio.run(main())


def test_every_delivery_is_reachable_by_some_profile() -> None:
    assert {outcome.delivery for outcome in PROFILES.values()} == set(Delivery)

"""Finding a message again by our own id, and asking whether the key holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.adapters.mandrill import MandrillMailer
from application.ports import LookupFailed, MailResult
from tests.application.adapters.mandrill.wire import EMAIL_ID, Script, email, mailer_at, run, sandbox, serving

SINCE = datetime(2025, 3, 14, 0, 30, tzinfo=UTC)
MESSAGE_ID = "0123456789abcdef0123456789abcdef"


def row(state: str = "sent", email_id: str = EMAIL_ID, message_id: str = MESSAGE_ID) -> dict[str, Any]:
    return {"_id": message_id, "state": state, "email": "anna@example.com", "metadata": {"email_id": email_id}}


async def found(body: Any, status: int = 200) -> MailResult | None:
    async with serving(Script(body, status=status).answer) as url, mailer_at(url) as mailer:
        return await mailer.find(EMAIL_ID, since=SINCE)


async def failure_of_find(body: Any, status: int = 200) -> str:
    with pytest.raises(LookupFailed) as caught:
        await found(body, status)
    return caught.value.reason


async def recent(mailer: MandrillMailer, email_id: str) -> MailResult | None:
    return await mailer.find(email_id, since=datetime.now(UTC) - timedelta(minutes=5))


def test_a_message_whose_answer_was_lost_is_found_and_another_is_not() -> None:
    async def scenario() -> None:
        async with sandbox() as url, mailer_at(url) as mailer:
            lost = await mailer.send(email("mail-sent-then-dropped@example.com", "email-1"))
            await mailer.send(email("mail-dropped@example.com", "email-2"))
            found = await recent(mailer, "email-1")
            assert lost.status == "unknown"
            assert found is not None
            assert (found.email_id, found.status) == ("email-1", "sent")
            assert await recent(mailer, "email-2") is None

    run(scenario())


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        ("sent", "sent", None),
        ("spam", "sent", None),
        ("deferred", "queued", "deferred"),
        ("bounced", "rejected", "hard-bounce"),
        ("soft-bounced", "rejected", "soft-bounce"),
        ("rejected", "rejected", None),
    ],
)
def test_the_state_of_a_found_message_is_told_as_the_end_of_its_send(
    state: str, status: str, reason: str | None
) -> None:
    assert run(found([row(state)])) == MailResult(EMAIL_ID, status, MESSAGE_ID, reason)


def test_the_search_asks_by_metadata_and_then_for_everything_since_the_day_of_the_send_with_a_margin() -> None:
    async def scenario() -> None:
        script = Script([])
        async with serving(script.answer) as url, mailer_at(url) as mailer:
            assert await mailer.find(EMAIL_ID, since=SINCE) is None
        assert script.paths == ["/api/1.3/messages/search.json"] * 2
        asked = [(body.get("query"), body["date_from"]) for body in script.bodies]
        assert asked == [(f'u_email_id:"{EMAIL_ID}"', "2025-03-13"), (None, "2025-03-13")]

    run(scenario())


def test_a_result_with_another_id_or_without_metadata_is_not_ours() -> None:
    assert run(found([row(email_id="another"), {**row(), "metadata": []}, {**row(), "metadata": None}, None])) is None


def test_of_several_the_one_that_succeeded_counts() -> None:
    assert run(found([row("rejected"), row("sent", message_id="f" * 32)])) == MailResult(EMAIL_ID, "sent", "f" * 32)


def test_more_results_than_a_search_gives_prove_nothing() -> None:
    assert run(failure_of_find([row(email_id="another")] * 1000)) == "incomplete"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (429, {"status": "error", "name": "TooManyRequests"}, "busy"),
        (429, b"", "busy"),
        (500, {"status": "error", "name": "GeneralError"}, "busy"),
        (502, b"<html>", "busy"),
        (401, {"status": "error", "name": "Invalid_Key"}, "invalid-key"),
        (500, {"status": "error", "name": "Invalid_Key"}, "invalid-key"),
        (400, {"status": "error", "name": "ValidationError"}, "validation-error"),
        (404, b"", "http-4xx"),
        (200, b"", "nonsense"),
        (200, {"rows": []}, "nonsense"),
        (200, [row("pondering")], "nonsense"),
        (200, [row(message_id="")], "nonsense"),
    ],
)
def test_a_search_that_does_not_answer_proves_nothing(status: int, body: Any, reason: str) -> None:
    assert run(failure_of_find(body, status)) == reason


def test_an_older_message_with_the_same_id_does_not_count_after_somebody_asked_for_another() -> None:
    asked_at = int(SINCE.timestamp())

    assert run(found([{**row("rejected"), "ts": asked_at - 120}])) is None
    assert run(found([{**row("sent"), "ts": asked_at + 1}])) == MailResult(EMAIL_ID, "sent", MESSAGE_ID)


def test_a_search_beyond_the_rate_is_busy() -> None:
    async def scenario() -> None:
        async with sandbox(searches_per_minute=2) as url, mailer_at(url) as mailer:
            assert await recent(mailer, EMAIL_ID) is None
            with pytest.raises(LookupFailed, match="busy"):
                await recent(mailer, EMAIL_ID)

    run(scenario())


def test_an_unreachable_provider_fails_every_lookup() -> None:
    async def scenario() -> None:
        async with mailer_at("http://127.0.0.1:1") as mailer:
            for lookup in (mailer.find(EMAIL_ID, since=SINCE), mailer.check_key(), mailer.finds_by_email_id()):
                with pytest.raises(LookupFailed, match="connection-refused"):
                    await lookup

    run(scenario())


def test_a_key_is_accepted_only_by_the_expected_word() -> None:
    async def scenario() -> None:
        async with sandbox() as url, mailer_at(url) as mailer, mailer_at(url, "wrong") as stranger:
            assert await mailer.check_key()
            assert not await stranger.check_key()
        async with serving(Script("PONG").answer) as url, mailer_at(url) as mailer:
            with pytest.raises(LookupFailed, match="nonsense"):
                await mailer.check_key()

    run(scenario())


@pytest.mark.parametrize(("indexed", "expected"), [({"email_id"}, True), ({"order_id"}, False), (set(), False)])
def test_a_message_is_found_whether_or_not_the_account_indexes_email_id(indexed: set[str], expected: bool) -> None:
    async def scenario() -> None:
        async with sandbox(indexed_metadata=frozenset(indexed)) as url, mailer_at(url) as mailer:
            await mailer.send(email())
            assert await mailer.finds_by_email_id() is expected
            assert await recent(mailer, EMAIL_ID) is not None

    run(scenario())

"""What each scripted answer to a send is told as; only a row for our recipient is a result."""

from __future__ import annotations

from typing import Any

import pytest

from application.ports import MailResult
from tests.application.adapters.mandrill.wire import EMAIL_ID, Script, email, mailer_at, run, serving

ROW = {"email": "anna@example.com", "status": "sent", "_id": "0123456789abcdef0123456789abcdef", "reject_reason": None}


async def sent_to(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> MailResult:
    """The result of one send that is answered with this."""
    async with serving(Script(body, status=status, headers=headers).answer) as url, mailer_at(url) as mailer:
        return await mailer.send(email())


def test_a_sent_message_has_the_providers_id() -> None:
    assert run(sent_to([ROW])) == MailResult(EMAIL_ID, "sent", ROW["_id"])


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        None,
        "PONG!",
        [None],
        [[ROW]],
        [{**ROW, "_id": ""}],
        [{**ROW, "_id": 7}],
        [{**ROW, "_id": "anna@example.com"}],
        [{**ROW, "status": "SENT"}],
        [{**ROW, "status": ["sent"]}],
        [{**ROW, "email": None}],
        [{**ROW, "email": "bert@example.com"}],
        [ROW, {**ROW, "status": "rejected"}],
        {"status": "error"},
        b"",
        b"[" * 100_000,
        b"\xff\xfe",
        b'[{"email": "anna@example.com", "status": "sent"',
    ],
    ids=lambda body: str(body)[:40],
)
def test_an_answer_that_is_not_understood_is_unknown(body: Any) -> None:
    assert run(sent_to(body)) == MailResult(EMAIL_ID, "unknown", reason="nonsense")


def test_the_row_is_ours_whatever_the_case_of_the_address() -> None:
    assert run(sent_to([{**ROW, "email": "Anna@Example.com"}])).succeeded


@pytest.mark.parametrize(
    ("http_status", "name", "reason"),
    [
        (400, "ValidationError", "validation-error"),
        (500, "Invalid_Key", "invalid-key"),
        (404, "Unknown_Subaccount", "unknown-subaccount"),
        (422, "ValidationError", "validation-error"),
        (200, "GeneralError", "general-error"),
        (400, "no such anna@example.com", "other"),
        (400, "", "other"),
        (400, "x" * 41, "other"),
    ],
)
def test_an_error_object_is_a_definite_no_named_by_a_slug(http_status: int, name: str, reason: str) -> None:
    body = {"status": "error", "code": -1, "name": name, "message": "about anna@example.com"}
    assert run(sent_to(body, status=http_status)) == MailResult(EMAIL_ID, "failed", reason=reason)


@pytest.mark.parametrize(
    ("http_status", "reason"), [(500, "http-5xx"), (503, "http-5xx"), (403, "http-4xx"), (201, "http-2xx")]
)
def test_another_status_without_an_error_object_is_unknown_even_with_rows(http_status: int, reason: str) -> None:
    assert run(sent_to([ROW], status=http_status)) == MailResult(EMAIL_ID, "unknown", reason=reason)


def test_a_vendors_reason_that_is_no_word_is_not_repeated() -> None:
    result = run(sent_to([{**ROW, "status": "rejected", "reject_reason": "<anna@example.com> bounced"}]))
    assert result == MailResult(EMAIL_ID, "rejected", ROW["_id"], "other")

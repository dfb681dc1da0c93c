"""A body is read within limits, and what cannot be decoded is told apart from what holds nothing."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from api import decoding
from api.decoding import MAX_BODY_BYTES
from api.pay_and_submit.route import PATH
from application.ports import RouteRecord
from tests.api.serving import send
from tests.api.world import Api, a_body

JSON_TYPE = {"Content-Type": "application/json"}


def padded(size: int) -> bytes:
    """A valid body of exactly that many bytes."""
    body = json.dumps(a_body()).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON; Charset=UTF-8", 'application/json;charset="utf-8"', "application/json "],
)
def test_json_comes_as_application_json(api: Api, content_type: str) -> None:
    assert api.post(a_body(), content_type=content_type).status == "action-successful"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "application/jsonp",
     "application/json, text/plain", "application/json; charset=utf-8; charset=utf-8", ";", "application/json; v=1"],
)  # fmt: skip
def test_another_content_type_is_refused_before_the_body_is_looked_at(api: Api, content_type: str) -> None:
    assert api.post(b"\xff", content_type=content_type).status == "invalid-content-type"


def test_a_content_type_that_is_missing_or_there_twice_is_refused(api: Api) -> None:
    assert send(api.port, "POST", PATH, b"{}").status == "invalid-content-type"
    twice = [("Content-Type", "application/json"), ("Content-Type", "application/json")]
    assert send(api.port, "POST", PATH, b"{}", twice).status == "invalid-content-type"


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}", b"null", b' {"token": null, "order": null}'])
def test_a_body_without_parameters_is_told_so(api: Api, body: bytes) -> None:
    answered = api.post(body)
    assert (answered.code, answered.status) == (400, "no-params-decoded")


@pytest.mark.parametrize("body", [b"[]", b"[{}]", b"7", b'"text"', b"true", b"false", b"0"])
def test_an_array_or_a_scalar_is_no_object(api: Api, body: bytes) -> None:
    answered = api.post(body)
    assert (answered.status, answered.detail) == ("invalid-encoded-params", "not-an-object")


def test_why_json_is_refused_is_in_the_detail(api: Api) -> None:
    answered = api.post(b'{"token": 1, "token": 2}')
    assert (answered.status, answered.detail) == ("invalid-encoded-params", "duplicate-key")


def test_a_body_may_have_64_kib_and_not_a_byte_more(api: Api) -> None:
    assert api.post(padded(MAX_BODY_BYTES)).status == "action-successful"
    answered = api.post(padded(MAX_BODY_BYTES + 1))
    assert (answered.status, answered.detail) == ("invalid-encoded-params", "body-too-large")


def test_a_body_in_chunks_has_the_same_limit(api: Api) -> None:
    assert send(api.port, "POST", PATH, [padded(MAX_BODY_BYTES)], JSON_TYPE).status == "action-successful"
    chunks: Iterator[bytes] = (b" " * 8192 for _ in range(9))
    answered = send(api.port, "POST", PATH, chunks, JSON_TYPE)
    assert (answered.status, answered.detail) == ("invalid-encoded-params", "body-too-large")


def test_a_large_declared_length_is_refused_before_the_body_comes(api: Api) -> None:
    answered = raw_exchange(api.port, b"Content-Length: 999999999999\r\n", b"")
    assert b"body-too-large" in answered


def test_a_body_that_does_not_come_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BODY_DEADLINE_S", 0.1)
    answered = raw_exchange(api.port, b"Content-Length: 100\r\n", b'{"token"')
    assert b"body-too-slow" in answered
    assert b"connection: close" in answered.lower()


def test_a_client_that_hangs_up_midway_disturbs_nobody(api: Api) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as connection:
        connection.sendall(head(b"Content-Length: 100\r\n") + b"{")
    assert api.post(a_body()).status == "action-successful"


class TestSensitiveParams:
    """The route record says that the body comes as base64."""

    @pytest.fixture(autouse=True)
    def _sensitive(self, api: Api) -> None:
        api.world.route = replace(RouteRecord(True, True, False), sensitive_params=True)

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "text/plain; charset=utf-8", "text/plain; charset=us-ascii"]
    )
    def test_base64_of_json_comes_as_text_plain(self, api: Api, content_type: str) -> None:
        body = b"\n " + base64.b64encode(json.dumps(a_body()).encode()) + b"\r\n"
        assert api.post(body, content_type=content_type).status == "action-successful"

    def test_application_json_is_then_the_wrong_content_type(self, api: Api) -> None:
        assert api.post(a_body()).status == "invalid-content-type"

    @pytest.mark.parametrize(
        "body",
        [b'{"token": "t"}', b"e30", b"e30===", b"e30=e30=", b"e3\n0=", b"e30-", b"\xff\xfe", b"e31=", b"=", b"\x00"],
    )
    def test_what_is_not_strict_base64_is_refused(self, api: Api, body: bytes) -> None:
        answered = api.post(body, content_type="text/plain")
        assert (answered.status, answered.detail) == ("invalid-encoded-params", "not-base64")

    def test_base64_of_something_else_is_not_json(self, api: Api) -> None:
        answered = api.post(base64.b64encode(b"hello"), content_type="text/plain")
        assert (answered.status, answered.detail) == ("invalid-encoded-params", "not-json")

    @pytest.mark.parametrize("body", [b"", b" ", base64.b64encode(b"{}"), base64.b64encode(b"null")])
    def test_base64_of_nothing_holds_no_parameters(self, api: Api, body: bytes) -> None:
        assert api.post(body, content_type="text/plain").status == "no-params-decoded"


def head(extra: bytes) -> bytes:
    return b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n" + extra + b"\r\n"


def raw_exchange(port: int, extra: bytes, body: bytes) -> bytes:
    """Send a head and a beginning of a body, and read what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(head(extra) + body)
        return connection.recv(65536)

"""Answers are read without trusting them."""

from __future__ import annotations

from pathlib import Path

import pytest

from application.adapters.authorizenet.answers import Nonsense, parse


def test_text_stays_text_and_is_found_in_any_namespace_or_none() -> None:
    for namespace in ("", ' xmlns="AnetApi/xml/v1/schema/AnetApiSchema.xsd"'):
        answer = parse(f"<a{namespace}><b><authCode> 000123 </authCode></b></a>".encode())
        assert answer.name == "a"
        assert answer.text("b/authCode") == "000123"
        assert answer.text("b/nothing") is None


def test_a_byte_order_mark_is_taken_off_only_where_it_is() -> None:
    assert parse(b"\xef\xbb\xbf<abc/>").name == "abc"
    assert parse(b"<abc/>").name == "abc"


def test_an_entity_is_never_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    body = f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{secret}">]><a>&e;</a>'
    with pytest.raises(Nonsense):
        parse(body.encode())


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;"><!ENTITY z "&y;&y;&y;&y;&y;&y;">]><a>&z;</a>'


@pytest.mark.parametrize(
    "body",
    [
        BOMB.encode(),
        BOMB.encode("utf-16"),
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        b"",
        b"   ",
        b"\xef\xbb\xbf",
        b"<a><b></a>",
        b"<a>&undeclared;</a>",
        b"<a>\x00</a>",
        b"<a>\xff</a>",
        b'{"messages": {}}',
        b"service unavailable",
        b"<a>" * 100_000,
        b'<?xml version="1.0" encoding="no-such"?><a/>',
    ],
)
def test_what_is_no_plain_xml_is_refused(body: bytes) -> None:
    with pytest.raises(Nonsense):
        parse(body)


def test_what_does_not_look_like_a_code_is_dropped() -> None:
    answer = parse(b"<a><messages><message><code>card 4111111111111111 refused</code></message></messages></a>")
    assert answer.codes.message_code is None

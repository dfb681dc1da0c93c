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


def test_the_first_of_a_name_counts_wherever_an_element_comes_twice_and_all_codes_do() -> None:
    answer = parse(
        b"<a><refId> 1 </refId><refId>2</refId>"
        b"<messages><message><text>x</text></message><message><code>I00001</code><code>I00002</code></message></messages>"
        b"<transactionResponse><responseCode/><messages><message><code>7</code></message></messages></transactionResponse>"
        b"<messages><other/><message><code>E00027</code></message></messages>"
        b"<transactionResponse><responseCode>1</responseCode><transId>6</transId><transId>5</transId>"
        b"<messages><message><code>8</code></message></messages></transactionResponse></a>"
    )
    assert answer.ref_id == "1"
    assert answer.transaction == {"responseCode": "", "transId": "6"}
    assert answer.message_codes == ["I00001", "E00027"]
    assert answer.message_texts == ["x", "", ""]
    assert (answer.has_errors, answer.reason_codes) == (False, ["7", "8"])


def test_errors_hide_the_messages_even_where_their_codes_are_dropped() -> None:
    answer = parse(
        b"<a><transactionResponse><messages><message><code>1</code></message></messages>"
        b"<errors><error><errorCode>no code at all</errorCode></error></errors></transactionResponse></a>"
    )
    assert (answer.has_errors, answer.reason_codes, answer.codes.reason_code) == (True, [], None)

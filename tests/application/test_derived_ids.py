"""Derived identifiers: equal where people mean the same, different everywhere else, and useless without the key."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from application.derived_ids import DerivedIds, normalised

IDS = DerivedIds(b"a secret key of tests")
OTHER = DerivedIds(b"another secret of tests")
ADDRESS = {"street": "12 Main St.", "street2": "Apt 4", "city": "Denver", "province": "us_co", "postal_code": "02134"}
HOME = {"address": ADDRESS}
SERVICES = [("photos", 15), ("staging", 1), ("exterior_photos", 3)]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ORDER_1, ORDER_2 = UUID(int=1), UUID(int=2)


def window(property_info: dict[str, Any], client_id: int = 11, services: list[tuple[str, int]] = SERVICES) -> UUID:
    return IDS.duplicate_window_id(client_id, services, property_info)


def home(**changes: str | None) -> dict[str, Any]:
    return {"address": {**ADDRESS, **changes}}


@settings(deadline=None)
@given(st.permutations(SERVICES))
def test_the_order_of_the_services_does_not_matter(services: list[tuple[str, int]]) -> None:
    assert window(HOME, services=services) == window(HOME)


@settings(deadline=None)
@given(st.data())
def test_case_spacing_and_punctuation_of_an_address_do_not_matter(data: st.DataObject) -> None:
    def retyped(text: str) -> str:
        words = text.replace(".", "").replace("_", " ").split(" ")
        typed = [data.draw(st.sampled_from([word, word.upper(), word.lower(), word.title()])) for word in words]
        gap = data.draw(st.sampled_from([" ", "  ", "\t", ", ", ".", " - ", "\u00a0", "_"]))
        edges = data.draw(st.sampled_from(["", " ", ".", " #"]))
        return edges + gap.join(typed) + edges

    assert window(home(**{name: retyped(text) for name, text in ADDRESS.items()})) == window(HOME)


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789ABCabc"), min_size=1, max_size=5))
def test_another_house_is_another_thing(number: str) -> None:
    assume(number != "12")
    assert window(home(street=f"{number} Main St.")) != window(HOME)


@settings(deadline=None)
@given(st.sampled_from(sorted(ADDRESS)), TEXT)
def test_every_field_of_an_address_tells_homes_apart(name: str, text: str) -> None:
    assume(normalised(text) != normalised(ADDRESS[name]))
    assert window(home(**{name: text})) != window(HOME)


@pytest.mark.parametrize("street2", [None, "", "  ", "-"])
def test_a_missing_second_line_is_an_empty_one(street2: str | None) -> None:
    without = {"address": {name: text for name, text in ADDRESS.items() if name != "street2"}}
    assert window(home(street2=street2)) == window(without) != window(HOME)


def test_compatible_forms_of_a_letter_are_one() -> None:
    assert window(home(street="１２ ＭＡＩＮ Ｓｔ")) == window(HOME)  # full width
    assert normalised("Straße 1") == normalised("STRASSE 1")
    assert normalised("Caf\u00e9") == normalised("Cafe\u0301")
    assert normalised("Main\u200b Street") == normalised("Main Street")


def test_marks_that_tell_words_apart_in_other_scripts_stay() -> None:
    assert normalised("कि") != normalised("का")


@settings(deadline=None)
@given(TEXT)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_a_property_id_stands_for_the_property_whatever_the_address_says() -> None:
    assert window({"property_id": " H-7 "}) == window({"property_id": "H-7", **HOME})
    assert window({"property_id": "H-7"}) != window({"property_id": "H-8"})
    assert window({"property_id": "h-7"}) != window({"property_id": "H-7"})
    assert window({"property_id": "  ", **HOME}) == window({"property_id": None, **HOME}) == window(HOME)


def test_client_services_and_quantities_tell_things_apart() -> None:
    others = [
        window(HOME, client_id=12),
        window(HOME, services=[("photos", 10), *SERVICES[1:]]),
        window(HOME, services=SERVICES[:2]),
        window(HOME, services=[*SERVICES, SERVICES[0]]),
        window(HOME),
    ]
    assert len(set(others)) == len(others)


def test_what_does_not_describe_the_thing_does_not_matter() -> None:
    assert window({**HOME, "price": 1, "bedrooms": 3}) == window(HOME)


@settings(deadline=None)
@given(TEXT, TEXT, TEXT, TEXT)
def test_parts_that_run_into_each_other_do_not_meet(a: str, b: str, c: str, d: str) -> None:
    assume((a, b) != (c, d))
    assert IDS.order_id(a, b) != IDS.order_id(c, d)


def test_ids_of_different_kinds_differ_for_the_same_input() -> None:
    assert IDS.order_id(ORDER_1.hex, "user:11") != IDS.redemption_id(ORDER_1, "user:11")
    assert IDS.token_hash("x") != IDS.request_digest(b"x")


def test_everything_depends_on_the_secret_key() -> None:
    assert IDS.token_hash("t") != OTHER.token_hash("t")
    assert window(HOME) != OTHER.duplicate_window_id(11, SERVICES, HOME)
    assert IDS.redemption_id(ORDER_1, "user:1") != OTHER.redemption_id(ORDER_1, "user:1")
    assert IDS.email_id(ORDER_1, "a@example.com") != OTHER.email_id(ORDER_1, "a@example.com")
    with pytest.raises(ValueError, match="at least 16"):
        DerivedIds(b"short")


def test_derived_uuids_are_of_version_8() -> None:
    for derived in (window(HOME), IDS.redemption_id(ORDER_1, "user:11"), IDS.order_id("user:11", "k")):
        assert (derived.version, derived.variant) == (8, "specified in RFC 4122")


def test_an_email_id_is_of_one_order_and_one_recipient_in_any_case() -> None:
    assert IDS.email_id(ORDER_1, " Ada@Example.com") == IDS.email_id(ORDER_1, "ada@example.com")
    assert IDS.email_id(ORDER_1, "ada@example.com") != IDS.email_id(ORDER_2, "ada@example.com")
    assert len(IDS.email_id(ORDER_1, "ada@example.com")) == 32


def test_derived_ids_never_change_between_releases() -> None:
    """Tokens would be unknown and guards would open. The first is computed here by hand, from the definition."""
    message = b"".join(len(part).to_bytes(8, "big") + part for part in (b"token", b"t"))
    assert IDS.token_hash("t") == hmac.new(b"a secret key of tests", message, hashlib.sha256).hexdigest()
    assert str(window(HOME)) == "ff79913e-6cec-8a30-82cf-a419d77d552b"


@pytest.mark.parametrize("length", [16, 63, 64, 65, 200])
def test_a_key_of_any_length_gives_the_hmac_of_the_standard_library(length: int) -> None:
    key = bytes(range(length))
    message = b"".join(len(part).to_bytes(8, "big") + part for part in (b"request", b"{}"))
    assert DerivedIds(key).request_digest(b"{}") == hmac.new(key, message, hashlib.sha256).hexdigest()


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_text_is_normalised_like_any_other(text: str) -> None:
    assert normalised(text) == " ".join(re.findall("[0-9a-z]+", text.lower()))

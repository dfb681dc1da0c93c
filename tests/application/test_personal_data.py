"""Personal data opens with its own key, in its own place, and not otherwise."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.personal_data import SealBroken, canonical_json, open_sealed, seal

KEY = os.urandom(32)
AAD = b"order:1"
PLAIN = {
    "name": "Zoë",
    "address": {"street": "1 Main St", "street2": None},
    "bathrooms": 2.5,
    "emails": ["a@example.com"],
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def test_what_is_sealed_opens_again() -> None:
    sealed = seal(PLAIN, "k1", KEY, AAD)
    assert sealed.key_id == "k1"
    assert open_sealed(sealed, KEY, AAD) == PLAIN


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), VALUES, max_size=4))
def test_any_json_object_opens_as_it_was(plain: dict[str, object]) -> None:
    assert open_sealed(seal(plain, "k1", KEY, AAD), KEY, AAD) == json.loads(json.dumps(plain))


def test_the_same_data_never_seals_to_the_same_bytes() -> None:
    sealed = [seal(PLAIN, "k1", KEY, AAD) for _ in range(50)]
    assert len({one.nonce for one in sealed}) == len({one.ciphertext for one in sealed}) == 50
    assert {len(b64decode(one.nonce)) for one in sealed} == {12}


def test_nothing_of_it_can_be_read_from_outside() -> None:
    sealed = seal(PLAIN, "k1", KEY, AAD)
    assert b"Main" not in b64decode(sealed.ciphertext)
    assert len(b64decode(sealed.ciphertext)) == len(canonical_json(PLAIN)) + 16


def test_another_key_another_place_or_a_changed_byte_does_not_open_it() -> None:
    sealed = seal(PLAIN, "k1", KEY, AAD)
    changed = bytearray(b64decode(sealed.ciphertext))
    changed[0] ^= 1
    for broken, key, aad in (
        (sealed, os.urandom(32), AAD),
        (sealed, KEY, b"order:2"),
        (replace(sealed, ciphertext=b64encode(bytes(changed)).decode()), KEY, AAD),
        (replace(sealed, nonce=b64encode(bytes(12)).decode()), KEY, AAD),
        (replace(sealed, nonce=""), KEY, AAD),
        (replace(sealed, ciphertext="no base64!"), KEY, AAD),
        (replace(sealed, ciphertext=""), KEY, AAD),
    ):
        with pytest.raises(SealBroken):
            open_sealed(broken, key, aad)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="256 bits"):
        seal(PLAIN, "k1", os.urandom(16), AAD)


def test_canonical_json_has_one_text_for_one_meaning() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == canonical_json({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()
    with pytest.raises(ValueError):
        canonical_json({"a": float("nan")})


@pytest.mark.parametrize("value", [b"bytes", UUID(int=1), {1}], ids=["bytes", "id", "set"])
def test_what_json_does_not_know_is_refused_rather_than_turned_into_text(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json({"a": value})


def test_a_number_is_sealed_as_it_was_whatever_its_size() -> None:
    plain = {"small": 1e-7, "large": 1e300, "whole": 2.0, "count": 2**63 - 1, "beyond": 2**70}
    opened = open_sealed(seal(plain, "k1", KEY, AAD), KEY, AAD)
    assert opened == plain
    assert isinstance(opened["whole"], float)

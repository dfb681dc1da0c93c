"""JSON that two parsers could read differently is refused, with a slug that says why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.strict_json import MAX_DEPTH, NotStrictJson, by_every_rule, loads, without_nulls

REFUSED = {
    b'{"a": 1, "a": 1}': "duplicate-key",
    b'{"o": {"a": 1, "\\u0061": 2}}': "duplicate-key",
    b'{"a": NaN}': "not-a-number",
    b'{"a": -Infinity}': "not-a-number",
    b'{"a": 1e999}': "number-out-of-range",
    b'{"a": 9223372036854775808}': "number-out-of-range",
    b'{"a": -9223372036854775809}': "number-out-of-range",
    b'{"a": ' + b"9" * 5000 + b"}": "number-out-of-range",
    b'{"a": 0.' + b"1" * 5000 + b"}": "number-out-of-range",
    b'{"a": 1} x': "not-json",
    b'{"a": 1}{"b": 2}': "not-json",
    b'\xef\xbb\xbf{"a": 1}': "not-json",
    b"{'a': 1}": "not-json",
    b'{"a": 01}': "not-json",
    b'{"a": 1,}': "not-json",
    b'{"a": "line\nbreak"}': "not-json",
    b'{"a": "\xff"}': "not-utf-8",
    b'{"a": "\xed\xa0\x80"}': "not-utf-8",
    b'{"a": "\\ud800"}': "lone-surrogate",
    b'{"\\udfff": 1}': "lone-surrogate",
    b'{"a": "\\u0000"}': "control-character",
    b'{"a": [{"b": "\\u001b[0m"}]}': "control-character",
    b'{"a\\u007f": 1}': "control-character",
    b"[" * 60_000: "nested-too-deep",
    b'{"a":' * 10_000: "nested-too-deep",
    b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1): "nested-too-deep",
}


@pytest.mark.parametrize(("body", "detail"), REFUSED.items(), ids=lambda value: str(value)[:40])
def test_what_is_not_strict_json_is_refused(body: bytes, detail: str) -> None:
    with pytest.raises(NotStrictJson) as refused:
        loads(body)
    assert refused.value.detail == detail


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b"[" + b",".join([b"[]"] * 1000) + b"]",
        json.dumps("[{" * 1000 + '\\"').encode(),
        b'{"a": 9223372036854775807, "b": -9223372036854775808}',
        b'{"a": "tab\\t, line\\n, pair \\ud83d\\ude00"}',
    ],
    ids=lambda body: str(body)[:30],
)
def test_what_is_strict_json_is_read_as_the_standard_parser_reads_it(body: bytes) -> None:
    assert loads(body) == json.loads(body)


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1), lambda inner: st.lists(inner)))
def test_any_value_within_the_limits_is_read_back(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize("body", [b'["' + b'\\"' * 32_000, b'"' * 64_000 + b"[" * 40, b"\\" * 64_000 + b"[" * 40])
def test_looking_for_depth_takes_time_in_proportion_to_the_size(body: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(NotStrictJson):
        loads(b"[" * 20 + b"{" * 13 + body)
    assert time.perf_counter() - started < 1


def test_nulls_go_from_objects_at_every_level_and_stay_in_arrays() -> None:
    assert without_nulls({"a": None, "b": {"c": None, "d": [None, {"e": None}]}}) == {"b": {"d": [None, {}]}}


_PIECES = [
    *(
        "{",
        "}",
        "[",
        "]",
        '"a"',
        '"b"',
        ":",
        ",",
        " ",
        "\n",
        "null",
        "true",
        "1",
        "-0",
        "2.50",
        "1e5",
        "1e999",
        "01",
        ".5",
    ),
    *(
        "9" * 17,
        "9" * 18,
        "9" * 19,
        '"é"',
        '"°"',
        '"\x7f"',
        '"\x85"',
        '"\\u0061"',
        '"\t"',
        '"\\',
        "NaN",
        '"a":1',
        '"b": "x"',
    ),
]


def told(read: Callable[[], Any]) -> object:
    """The value, with the types of its numbers; or why there is none."""
    try:
        return repr(read())
    except NotStrictJson as refused:
        return refused.detail


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_a_body_is_read_alike_in_few_steps_and_in_many(text: str) -> None:
    assert told(lambda: loads(text.encode())) == told(lambda: by_every_rule(text))


class Pairs(tuple[tuple[str, Any], ...]):
    """The members of an object, of which some may have the same key."""


def json_of(value: object, escaped: bool) -> str:
    if isinstance(value, Pairs):
        return "{" + ", ".join(f'"{key}": {json_of(inner, escaped)}' for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_of(inner, escaped) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=escaped)


_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from("abc"), inner), max_size=3).map(Pairs)
    ),
    max_leaves=12,
)


@settings(max_examples=1000, deadline=None)
@given(_ANY, st.booleans())
def test_an_object_is_read_alike_in_few_steps_and_in_many(value: object, escaped: bool) -> None:
    text = json_of(value, escaped)
    assert told(lambda: loads(text.encode())) == told(lambda: by_every_rule(text))

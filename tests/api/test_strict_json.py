"""JSON that two parsers could read differently is refused, with a slug that says why."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.strict_json import MAX_DEPTH, NotStrictJson, loads, without_nulls

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

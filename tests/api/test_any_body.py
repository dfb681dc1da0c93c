"""Whatever is sent, the answer is one of ours, is no crash, and repeats nothing of it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.pay_and_submit.params import PayAndSubmitParams
from api.statuses import STATUSES
from tests.api.serving import Answered
from tests.api.world import ADA, Api, a_body

CANARY = "Canary 7f3a"
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(),
    st.just(CANARY),
    st.text().map(lambda text: CANARY + text),
)
NAMES = st.sampled_from(
    [*PayAndSubmitParams.model_fields, "client", "id", "primary_service", "slug", "quantity", "add_on_services",
     "property_info", "address", "property_access", "vacant", "appointments", "metadata", "notes", CANARY]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(), inner, max_size=6),
    max_leaves=20,
)


def check(answered: Answered) -> None:
    status = STATUSES[answered.status]
    assert answered.code == status.code == answered.json["code"]
    assert answered.code < 500
    assert CANARY not in answered.body.decode()


@given(body=VALUES)
@SETTINGS
def test_any_json_value_is_answered_without_a_crash_or_an_echo(api: Api, body: Any) -> None:
    check(api.post(json.dumps(body).encode()))


@given(body=st.binary() | st.binary().map(lambda tail: b'{"token": "' + CANARY.encode() + tail))
@SETTINGS
def test_any_bytes_are_answered_without_a_crash_or_an_echo(api: Api, body: bytes) -> None:
    check(api.post(body))


@given(path=st.lists(st.integers(0, 7), max_size=5), value=VALUES)
@SETTINGS
def test_a_valid_body_with_any_value_in_any_place_is_answered_without_a_crash_or_an_echo(
    api: Api, path: list[int], value: Any
) -> None:
    body = json.loads(json.dumps(a_body(ADA)))
    place: Any = body
    for step in path:
        children = [inner for inner in place.values() if isinstance(inner, dict)]
        place = children[step % len(children)] if children else place
    names = list(place)
    place[names[(path or [0])[0] % len(names)]] = value
    check(api.post(json.dumps(body).encode()))


@given(key=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=300))
@SETTINGS
def test_any_idempotency_key_is_answered_without_a_crash(api: Api, key: str) -> None:
    answered = api.pay(a_body(), Idempotency_Key=key)
    assert answered.status in {"action-successful", "invalid-param"}

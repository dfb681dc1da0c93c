"""Every status that ends a request before there is an order: nothing is written, and nothing is sent to the gateway."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from tests.end_to_end.client import PAY, Answer
from tests.end_to_end.world import LEE, NORA, OLD, World

NO_VIEWS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Refusal:
    """How a request is sent, and how it must be refused."""

    status: str
    code: int
    send: Callable[[World], Answer]
    given: Callable[[World], AbstractContextManager[None]] = lambda _: nullcontext()
    param: str | None = None
    detail: str | None = None
    views: frozenset[str] = NO_VIEWS


@contextmanager
def deployed(world: World, *, service: bool = True, route: bool = True) -> Iterator[None]:
    """The API's own records say what is deployed, from one request to the next."""
    records = copy.deepcopy(world.directory["api_services"])
    records[0]["deployed"] = service
    records[0]["routes"][0]["deployed"] = route
    world.import_sections(api_services=records)
    try:
        yield
    finally:
        world.import_sections(api_services=world.directory["api_services"])


def pay(**changes: Any) -> Callable[[World], Answer]:
    return lambda world: world.pay(world.body(**changes))


def pay_raw(body: bytes, content_type: str = "application/json") -> Callable[[World], Answer]:
    return lambda world: world.pay(body, content_type)


REFUSALS = {
    "no such path": Refusal("route-non-existent", 500, lambda world: world.send("POST", "/api/v1/orders/pay", b"{}")),
    "another method": Refusal("route-non-existent", 500, lambda world: world.send("PUT", PAY, b"{}")),
    "directory away": Refusal("identify-request-error", 500, pay(), lambda world: world.without("directory_routes")),
    "service not deployed": Refusal("service-not-found", 404, pay(), lambda world: deployed(world, service=False)),
    "route not deployed": Refusal("route-not-found", 404, pay(), lambda world: deployed(world, route=False)),
    "a form": Refusal(
        "invalid-content-type",
        400,
        lambda world: world.pay(world.body(), "application/x-www-form-urlencoded"),
    ),
    "broken JSON": Refusal("invalid-encoded-params", 400, pay_raw(b'{"token": '), detail="not-json"),
    "an array": Refusal("invalid-encoded-params", 400, pay_raw(b"[1]"), detail="not-an-object"),
    "the same key twice": Refusal(
        "invalid-encoded-params", 400, pay_raw(b'{"token": "a", "token": "b"}'), detail="duplicate-key"
    ),
    "too much": Refusal(
        "invalid-encoded-params", 400, pay_raw(b'{"a": "' + b"x" * 65536 + b'"}'), detail="body-too-large"
    ),
    "no body": Refusal("no-params-decoded", 400, pay_raw(b"")),
    "an empty object": Refusal("no-params-decoded", 400, pay_raw(b"{}")),
    "no token": Refusal("missing-param", 400, pay(token=None), param="token"),
    "an unknown token": Refusal("invalid-token", 401, pay(token="nobody-knows-this")),
    "an old session": Refusal("session-expired", 401, pay(token=OLD)),
    "a user without a role": Refusal(
        "client-required", 401, pay(token=NORA), detail="register-as-client", views=frozenset({"session"})
    ),
    "no order": Refusal("missing-param", 400, lambda world: world.pay({"token": LEE}), param="order"),
    "a card of somebody else": Refusal("invalid-param", 400, pay(payment_method_id=201), param="payment_method_id"),
    "log away": Refusal("application-crash", 500, pay(), lambda world: world.without("stored_events")),
    "sessions away": Refusal("application-crash", 500, pay(), lambda world: world.without("directory_sessions")),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_fails_before_the_order_writes_nothing(world: World, case: str) -> None:
    refusal = REFUSALS[case]
    position, calls = world.database.position(), world.charge_calls()

    with refusal.given(world):
        answer = refusal.send(world)

    answer.require_envelope(refusal.status, refusal.code, views=refusal.views)
    assert (answer.error["param"], answer.error["detail"]) == (refusal.param, refusal.detail)
    assert answer.error["gateway"] is None
    if refusal.status != "client-required":
        assert answer.data is None
    assert world.database.position() == position
    assert world.charge_calls() == calls


def test_who_is_no_client_yet_learns_where_to_become_one(world: World) -> None:
    answer = world.pay(world.body(token=NORA))

    answer.require_envelope("client-required", 401, views=frozenset({"session"}))
    assert answer.data == {"register_at": "/api/v1/users/client_register"}
    assert answer.json["session"]["user_id"] == 3
    assert NORA not in answer.text


def test_who_asks_too_often_is_told_when_to_come_back(world: World) -> None:
    position = world.database.position()
    with world.server(rate_limit="2/60s") as limited:
        refused = [limited.pay(json.dumps({"token": LEE, "order": {}}).encode()) for _ in range(3)]

    assert [answer.status for answer in refused] == ["missing-param", "missing-param", "rate-limit-exceeded"]
    refused[-1].require_envelope("rate-limit-exceeded", 429)
    assert 1 <= refused[-1].error["retry_after_seconds"] <= 60
    assert world.database.position() == position


def test_who_tries_tokens_is_limited_too(world: World) -> None:
    with world.server(rate_limit="2/60s") as limited:
        codes = [limited.pay({"token": f"guess-{number}"}).code for number in range(3)]

    assert codes == [401, 401, 429]

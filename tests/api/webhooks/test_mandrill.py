"""Webhooks of the mail provider: checked over URL and form, and a bounce is told of once."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.api.webhooks.world import MANDRILL, World, mail_signature


def event(name: str, order_id: str | None, **changes: Any) -> dict[str, Any]:
    metadata = {"order_id": order_id, "email_id": "e"} if order_id else {}
    return {"event": name, "ts": 1, "_id": "m", "msg": {"metadata": metadata, "email": "x@example.com"}, **changes}


def test_the_provider_asks_with_head_whether_the_url_is_there(world: World) -> None:
    assert world.send("HEAD", MANDRILL).code == 200


def test_the_providers_check_is_an_empty_array_signed_with_a_key_that_everybody_knows(world: World) -> None:
    assert world.tell_mail([], key="test-webhook").code == 200
    assert world.tell_mail([event("send", None)], key="test-webhook").code == 401


@pytest.mark.parametrize("name", ["hard_bounce", "reject"])
def test_a_bounce_raises_one_notification_however_often_it_comes(world: World, name: str) -> None:
    order = world.order()
    for _ in range(3):
        assert world.tell_mail([event(name, order["id"]), event(name, order["id"])]).code == 200
    deadline = time.monotonic() + 5
    while ("email-bounced", order["id"]) not in world.notifications():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert world.notifications().count(("email-bounced", order["id"])) == 1
    assert world.current(order)["email"]["state"] == "sent"


@pytest.mark.parametrize("name", ["send", "soft_bounce", "open", "something_new"])
def test_other_news_raises_nothing(world: World, name: str) -> None:
    order = world.order()
    assert world.tell_mail([event(name, order["id"], colour="blue")]).code == 200
    assert ("email-bounced", order["id"]) not in world.notifications()


@pytest.mark.parametrize(
    "events",
    [
        [event("hard_bounce", None)],
        [event("hard_bounce", str(uuid4()))],
        [event("hard_bounce", "not an id")],
        [{"event": "hard_bounce"}, 7, None, {"msg": 7}, {"msg": {"metadata": 7}}],
    ],
)
def test_what_is_not_about_an_order_of_ours_is_passed_over(world: World, events: list[Any]) -> None:
    before = world.notifications()
    assert world.tell_mail(events).code == 200
    assert world.notifications() == before


@pytest.mark.parametrize("signature", ["x", "AAAA", mail_signature("http://elsewhere", {"mandrill_events": "[]"}, "k")])
def test_a_wrong_signature_is_refused(world: World, signature: str) -> None:
    assert world.tell_mail([event("send", None)], signature=signature).code == 401


@pytest.mark.parametrize("events", ["{", "", "[" * 100_000])
def test_what_is_not_json_is_refused(world: World, events: str) -> None:
    assert world.tell_mail(events).code == 400


@pytest.mark.parametrize("events", [{}, "7", [event("send", None)] * 1001])
def test_what_is_no_batch_of_events_is_refused(world: World, events: Any) -> None:
    assert world.tell_mail(events).code == 400


def test_a_form_without_events_is_refused(world: World) -> None:
    for body in (b"", b"other=1", b"%ff", b"mandrill_events"):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Mandrill-Signature": "x"}
        assert world.send("POST", MANDRILL, body, headers).code == 400


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    assert world.tell_mail(json.dumps([" " * (4 * 1024 * 1024)])).code == 413

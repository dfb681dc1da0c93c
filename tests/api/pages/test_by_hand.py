"""Actions by hand that somebody else has asked for, that take long, or that cannot come to an end; and what the page
says of them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.pages.orders import actions
from application import outbox
from tests.api.pages.browsing import Visitor, text_of
from tests.end_to_end.world import ED, World, eventually

SignedIn = Callable[[str], Visitor]
OTHERS = {"client": {"id": 12}}


def fault(vendor: str, **wish: Any) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(f"{vendor}/_faults", json.dumps(wish).encode(), timeout=5).close()


def path_of(order: dict[str, Any]) -> str:
    return f"/console/orders/{order['id']}"


def test_a_confirmation_that_takes_long_is_left_to_the_outbox_and_cannot_be_asked_for_twice(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "PATIENCE_S", 0.05)
    order, ed, otto = world.pay(world.body()).order, signed_in("ed"), signed_in("otto")
    fault(world.vendors.mail.url, delay_ms=400)

    first = text_of(ed.post(f"{path_of(order)}/resend", {"reason": "the client deleted it"}))
    second = otto.post(f"{path_of(order)}/resend", {"reason": "the client called"})
    fault(world.vendors.mail.url, delay_ms=0)

    assert "Asked for. The confirmation is asked for and not sent to everybody yet." in first
    assert second.code == 409
    assert "Already asked for. It was asked for by user:2," in text_of(second)
    assert "“the client deleted it”" in text_of(second)
    assert "Your reason, which was not recorded: the client called" in text_of(second)
    eventually(lambda: len(world.mails(order)) == 2)
    eventually(lambda: "the confirmation is sent" in text_of(ed.get(path_of(order))))
    assert "asked to have the confirmation sent again. Reason: the client deleted it" in text_of(ed.get(path_of(order)))
    assert "the client called" not in ed.get(path_of(order)).text


def test_a_confirmation_refused_for_good_is_no_open_matter(world: World, signed_in: SignedIn) -> None:
    order, ed = world.pay(world.body()).order, signed_in("ed")
    fault(world.vendors.mail.url, outcome="mail-rejected", sends=1)

    answer = text_of(ed.post(f"{path_of(order)}/resend", {"reason": "the client deleted it"}))
    page = ed.get(path_of(order))

    assert "Not sent. The mail provider has refused the confirmation for good" in answer
    assert "refused the confirmation for good for at least one recipient." in text_of(page)
    assert "sse-connect" not in page.text
    assert ed.get(f"{path_of(order)}/changes").text.endswith("event: ended\ndata: \n\n")


def test_a_confirmation_that_was_given_up_is_no_open_matter(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.pay(world.body({"client": {"id": 13}}, token=ED)).order
    ed = signed_in("ed")
    assert "could not be sent to everybody yet" in text_of(ed.get(path_of(order)))
    monkeypatch.setattr(outbox, "MAX_TRIES", 0)

    page = ed.get(path_of(order))

    assert "the engine has given it up" in text_of(page)
    assert "sse-connect" not in page.text


def test_a_confirmation_of_an_erased_client_is_no_open_matter(world: World) -> None:
    order = world.pay(world.body({"client": {"id": 13}}, token=ED)).order
    env = {"ORDERS_DATABASE_URL": world.settings.database_url}
    assert CliRunner().invoke(app, ["erase", "13", "--reason", "asked", "--yes"], env=env).exit_code == 0

    with world.server() as api:  # one that has not kept the key for a while
        for person in ("ed", "fay"):
            visitor = Visitor(api)
            visitor.sign_in(f"session-{person}-example-token")
            page = visitor.get(path_of(order))
            assert "can no longer be sent, because the client's data was erased" in text_of(page)
            assert "sse-connect" not in page.text
            assert "/resend" not in page.text
            assert visitor.get(f"{path_of(order)}/changes").text.endswith("event: ended\ndata: \n\n")


def test_money_that_is_being_taken_back_is_not_taken_back_again(world: World, signed_in: SignedIn) -> None:
    order, ed, fay = world.pay(world.body()).order, signed_in("ed"), signed_in("fay")
    assert "/void" in ed.get(path_of(order)).text
    fault(world.vendors.gateway.url, operation="voidTransaction", outcome="http-500", times=1_000_000)

    first = text_of(ed.post(f"{path_of(order)}/void", {"reason": "ordered by mistake"}))
    page = fay.get(path_of(order)).text
    again = [fay.post(f"{path_of(order)}/{kind}", {"reason": "wrong address"}) for kind in ("void", "refund")]

    assert "Asked for. The void of $185.00" in first
    assert "Your reason: ordered by mistake" in first
    assert "/void" not in page
    assert "/refund" not in page
    for answer in again:
        assert answer.code == 409
        assert "Already asked for. It was asked for by user:2," in text_of(answer)
        assert "“ordered by mistake”" in text_of(answer)
        assert "The void of $185.00 is asked for and not confirmed yet." in text_of(answer)
    assert "wrong address" not in fay.get(path_of(order)).text
    timeline = text_of(ed.get(path_of(order)))
    assert f"of transaction {order['payment']['transaction_id']}. Reason: ordered by mistake" in timeline

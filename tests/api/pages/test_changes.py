"""The stream that live pages listen to: what it tells, and its limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.pages.orders import changes
from tests.api.pages.browsing import Visitor, text_of
from tests.end_to_end.world import World

SignedIn = Callable[[str], Visitor]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LIFETIME_S", 0.2)
    monkeypatch.setattr(changes, "POLL_S", 0.05)


def test_the_stream_of_an_open_order_ends_by_itself_and_is_opened_again(world: World, signed_in: SignedIn) -> None:
    held = world.pay(world.body(payment_method_id=106)).order

    stream = signed_in("ed").get(f"/console/orders/{held['id']}/changes?version={held['version']}")

    assert stream.text == "retry: 1000\n\n"
    assert stream.headers["Cache-Control"] == "no-store"


def test_a_change_that_the_page_has_not_seen_is_told_at_once(world: World, signed_in: SignedIn) -> None:
    held = world.pay(world.body(payment_method_id=106)).order

    stream = signed_in("ed").get(f"/console/orders/{held['id']}/changes?version=1")

    assert f"id: {held['version']}\nevent: changed\ndata: {held['version']}\n\n" in stream.text
    assert "ended" not in stream.text


def test_there_are_only_so_many_streams_at_once(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAX_STREAMS", 0)
    held = world.pay(world.body(payment_method_id=106)).order

    refused = signed_in("ed").get(f"/console/orders/{held['id']}/changes")

    assert refused.code == 503
    assert "Too many live pages" in text_of(refused)

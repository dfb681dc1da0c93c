"""Webhooks of the gateway: checked over the raw body, taken as a hint, and never needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.webhooks.world import APPROVED, HELD, World, opened_world, signature


def about(invoice_number: str | None, event: str = "fraud.approved", **changes: Any) -> bytes:
    payload = {"responseCode": 1, "entityName": "transaction", "id": "40000000001", "invoiceNumber": invoice_number}
    content = {"notificationId": "n", "eventType": f"net.authorize.payment.{event}", "payload": payload, **changes}
    return json.dumps(content).encode()


def test_a_held_payment_that_is_approved_is_submitted_soon_after_its_webhook(world: World) -> None:
    order = world.order(payment_method_id=HELD)
    assert order["state"] == "payment_held"
    world.approve(order)
    assert world.until(order, "submitted") < 5.0


def test_it_is_submitted_without_any_webhook_too(tmp_path: Path) -> None:
    with opened_world(tmp_path, webhooks=False, recovery_interval_s=0.1) as world:
        order = world.order(payment_method_id=HELD)
        world.approve(order)
        world.until(order, "submitted")


def test_a_signature_counts_in_upper_and_in_lower_case(world: World) -> None:
    body = about("NOBODYS")
    algorithm, _, digits = signature(body).partition("=")
    for header in (f"{algorithm}={digits}", f"{algorithm}={digits.lower()}", f"SHA512={digits}"):
        assert world.tell(body, header).code == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha512=",
        "sha512=00",
        signature(b"another body"),
        signature(about("NOBODYS"), b"another key"),
        signature(about("NOBODYS")).removeprefix("sha512="),
        signature(about("NOBODYS")).replace("sha512", "sha256"),
        "sha512=\xe9",
    ],
)
def test_a_wrong_or_missing_signature_is_refused(world: World, header: str | None) -> None:
    answer = world.tell(about("NOBODYS"), header)
    assert (answer.code, answer.text) == (401, "")


def test_a_body_that_was_changed_on_the_way_is_refused(world: World) -> None:
    body = about("NOBODYS")
    assert world.tell(body + b" ", signature(body)).code == 401


def test_the_key_is_text_though_it_looks_like_hexadecimal_digits(tmp_path: Path) -> None:
    key = "ab" * 64
    with opened_world(tmp_path, webhooks=False, authorizenet_signature_key=key) as world:
        body = about("NOBODYS")
        assert world.tell(body, signature(body, key.encode())).code == 200
        assert world.tell(body, signature(body, bytes.fromhex(key))).code == 401


def test_one_that_comes_again_late_or_out_of_order_changes_nothing(world: World) -> None:
    order = world.order(payment_method_id=APPROVED)
    invoice_number = order["payment"]["invoice_number"]
    for event in ("fraud.held", "authcapture.created", "fraud.declined", "void.created", "authcapture.created"):
        body = about(invoice_number, event)
        assert [world.tell(body, signature(body)).code for _ in range(2)] == [200, 200]
    now = world.current(order)
    assert (now["state"], now["version"]) == ("submitted", order["version"])


@pytest.mark.parametrize(
    "body",
    [
        about("NOBODYS", "something.new", colour="blue"),
        about(None),
        about(None, payload={"entityName": "subscription", "id": "1"}),
        about(None, payload={"entityName": "transaction", "id": 7, "invoiceNumber": 7}),
        about(None, payload="text"),
        b"[]",
        b"7",
        b"null",
    ],
)
def test_what_is_not_known_is_passed_over(world: World, body: bytes) -> None:
    assert world.tell(body, signature(body)).code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_refused_though_it_is_signed(world: World, body: bytes) -> None:
    assert world.tell(body, signature(body)).code == 400


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    body = b" " * (4 * 1024 * 1024 + 1)
    assert world.tell(body, signature(body)).code == 413

"""Operations: how things stand, and actions that ask for a reason, are recorded with their actor, and need the role."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from api.bootstrap import policy_of
from api.read_models import MODELS, ReadModels
from domain.order import Order
from domain.stream import Stream
from projections import leases
from projections.conversion import Conversion
from projections.model import Changes
from projections.process_locks import process_lock
from tests.api.pages.browsing import Visitor, text_of
from tests.end_to_end.world import FAY, UNREACHABLE_CLIENT, World, eventually
from tests.helpers import run

SignedIn = Callable[[str], Visitor]
PAGES = (
    "/console/operations",
    "/console/operations/work",
    "/console/operations/projections",
    "/console/operations/projections/revenue",
    "/console/operations/dead-letters",
    "/console/operations/notifications",
)
REASON = {"reason": "figures looked odd"}


@pytest.fixture(scope="module")
def orders(world: World) -> int:
    """One order that is fine, one whose mail fails, and one that is held for review; the position after them."""
    world.pay(world.body())
    world.pay(world.body({"client": UNREACHABLE_CLIENT}, token="session-ed-example-token"))
    return int(world.pay(world.body(payment_method_id=106)).data["position"])


@pytest.mark.parametrize("path", PAGES)
def test_operations_are_for_operators(visitor: Visitor, signed_in: SignedIn, orders: int, path: str) -> None:
    assert visitor.get(path).code == 303
    for person in ("ed", "otto"):
        assert signed_in(person).get(path).code == 200, text_of(signed_in(person).get(path))
    may_read = path.endswith("notifications")
    for person in ("fay", "rae"):
        assert signed_in(person).get(path).code == (200 if may_read else 403)
    assert signed_in("lee").get(path).code == 403


def test_health_says_who_does_the_work(signed_in: SignedIn, orders: int) -> None:
    text = text_of(signed_in("otto").get("/console/operations"))

    assert "Log ● ok ends at position" in text
    assert "Follower ● ok" in text
    assert "Gateway against log 1" in text
    assert "Seals ● ok" in text
    assert "Background work ● ok nothing is overdue" in text


def test_health_says_what_is_overdue_whoever_should_have_done_it(
    world: World, signed_in: SignedIn, orders: int
) -> None:
    row = "('00000000000000000000000000000001', 'later', 1, 1, 0, 0)"  # of a kind that no worker takes
    with closing(sqlite3.connect(_views(world), isolation_level=None)) as views:
        views.execute(f"INSERT INTO open_work (order_id, kind, due_s, since_s, tries, ticket) VALUES {row}")
        text = text_of(signed_in("otto").get("/console/operations"))
        views.execute("DELETE FROM open_work WHERE order_id = '00000000000000000000000000000001'")

    assert "Background work ■ broken overdue for more than 2 min: 1 later" in text


def test_projections_show_where_each_stands(signed_in: SignedIn, orders: int) -> None:
    page = signed_in("otto").get("/console/operations/projections")

    for model in MODELS:
        assert f'/console/operations/projections/{model.name}"' in page.text


def test_a_rebuild_is_recorded_with_its_actor_and_served_when_it_is_equal(signed_in: SignedIn, orders: int) -> None:
    otto = signed_in("otto")
    path = "/console/operations/projections/conversion"

    assert otto.post(f"{path}/rebuild", REASON).code == 303

    eventually(lambda: "generation 2 is served" in text_of(otto.get(path)))
    text = text_of(otto.get(path))
    assert re.search(r"user:\d+ rebuild requested figures looked odd", text)
    assert "2 generation served" in text
    assert "Roll back to generation 1" in text

    assert otto.post(f"{path}/rollback", {"reason": "the first one was right"}).code == 303
    eventually(lambda: "1 generation served" in text_of(otto.get(path)))
    assert "rollback requested the first one was right" in text_of(otto.get(path))


def test_an_action_without_a_reason_is_refused_and_nothing_is_done(signed_in: SignedIn, orders: int) -> None:
    otto = signed_in("otto")
    path = "/console/operations/projections/promotions"

    for reason in ("", "   ", "two\nlines", "x" * 501):
        answer = otto.post(f"{path}/rebuild", {"reason": reason})
        assert answer.code == 400
        assert "A reason is needed" in text_of(answer)
    assert "Nothing yet from a page." in text_of(otto.get(path))


def test_an_action_needs_the_role_the_form_token_and_our_own_page(signed_in: SignedIn, orders: int) -> None:
    path = "/console/operations/projections/promotions/rebuild"

    assert signed_in("rae").post(path, REASON).code == 403
    otto = signed_in("otto")
    assert otto.post(path, {**REASON, "form_token": "0" * 64}).code == 403
    assert otto.post(path, REASON, Origin="http://elsewhere.example").code == 403
    assert otto.get(path).code == 405
    assert "Nothing yet from a page." in text_of(otto.get("/console/operations/projections/promotions"))


def test_a_difference_is_shown_and_accepted_with_a_reason(world: World, signed_in: SignedIn, orders: int) -> None:
    otto = signed_in("otto")
    path = "/console/operations/projections/promotions"
    _change_a_served_row(world, "promotions", "UPDATE view_promotions SET active = 0 WHERE code = 'TEN-7'")

    assert otto.post(f"{path}/rebuild", REASON).code == 303

    eventually(lambda: "A rebuilt generation differs" in text_of(otto.get(path)))
    page = otto.get(path)
    assert "active: served 0, rebuilt 1" in text_of(page), text_of(page)
    (accept,) = re.findall(rf'action="({path}/accept/[0-9a-f]+)"', page.text)

    assert otto.post(accept, {"reason": "the code is right, the rows were not"}).code == 303

    eventually(lambda: "2 generation served" in text_of(otto.get(path)))
    text = text_of(otto.get(path))
    assert "difference accepted the code is right, the rows were not" in text
    assert "A rebuilt generation differs" not in text


def test_what_another_process_rebuilds_is_left_to_it(world: World, signed_in: SignedIn, orders: int) -> None:
    otto = signed_in("otto")
    path = "/console/operations/projections/email_deliveries"
    other = ReadModels(world.settings, policy_of(world.settings), "somebody")
    lease = "rebuild-email_deliveries"
    with process_lock(other.storage, lease):
        with other.storage.control.execution_options(immediate=True).begin() as connection:
            assert leases.take(connection, lease, "somebody", 60.0)

        assert "It runs in another process." in text_of(otto.get(path))
        answer = otto.post(f"{path}/rebuild", REASON)
        assert answer.code == 409
        assert "Another process is rebuilding email_deliveries" in text_of(answer)
        assert otto.post(f"{path}/stop", REASON).code == 409
    run(other.close())

    assert otto.post(f"{path}/rebuild", REASON).code == 303  # its lease is in nobody's way once it has gone
    eventually(lambda: "2 generation served" in text_of(otto.get(path)))


def test_what_is_set_aside_is_tried_again_and_given_up_with_a_reason(
    world: World, signed_in: SignedIn, orders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    otto = signed_in("otto")
    path = "/console/operations/dead-letters"
    submitted = f"{path}/{_poisoned(world, monkeypatch)}"
    eventually(lambda: submitted in otto.get(path).text)
    assert "KeyError" in text_of(otto.get(path))
    assert "▲ attention" in text_of(otto.get("/console/operations/projections"))

    assert otto.post(f"{submitted}/retry", {"reason": "the code was mended"}).code == 303
    text = text_of(otto.get(path))
    assert "▲ left" in text
    assert "retry requested" in text

    assert otto.post(f"{submitted}/skip", {"reason": "broken for good"}).code == 303
    text = text_of(otto.get(path))
    assert "Nothing is set aside." in text
    assert "skip requested" in text
    assert "broken for good" in text


def test_accepting_what_does_not_differ_is_refused_and_leaves_no_trace(signed_in: SignedIn, orders: int) -> None:
    otto = signed_in("otto")
    path = "/console/operations/projections/payments"

    answer = otto.post(f"{path}/accept/0123abcd", REASON)

    assert answer.code == 409
    assert "No generation of payments with these rows waits to be accepted: rebuild it first." in text_of(answer)
    assert "Nothing yet from a page." in text_of(otto.get(path))


def test_unknown_projections_streams_and_notifications_are_not_found(signed_in: SignedIn, orders: int) -> None:
    otto = signed_in("otto")
    assert otto.get("/console/operations/projections/nothing").code == 404
    assert otto.post("/console/operations/projections/nothing/rebuild", REASON).code == 404
    assert otto.post("/console/operations/dead-letters/nothing/retry", REASON).code == 404
    for stranger in ("nothing", "00000000-0000-0000-0000-000000000000"):
        assert otto.post(f"/console/operations/notifications/{stranger}/resolve", REASON).code == 404
        assert otto.post(f"/console/operations/notifications/{stranger}/seen", {}).code == 404


def test_a_notification_is_seen_and_resolved_with_a_reason(world: World, signed_in: SignedIn, orders: int) -> None:
    otto = signed_in("otto")
    path = "/console/operations/notifications"
    eventually(lambda: "/seen" in otto.get(path).text)
    (notification,) = re.findall(rf"{path}/([0-9a-f-]+)/seen", otto.get(path).text)

    assert otto.post(f"{path}/{notification}/seen", {}).code == 303
    assert "seen" in text_of(otto.get(f"{path}?state=seen"))
    assert otto.post(f"{path}/{notification}/resolve", {"reason": ""}).code == 400
    assert otto.post(f"{path}/{notification}/resolve", {"reason": "the address was corrected"}).code == 303

    text = text_of(otto.get(f"{path}?state=resolved"))
    assert re.search(r"resolved \S+ \S+ UTC by user:\d+: the address was corrected", text), text
    (row,) = world.get("/api/v1/notifications", FAY, {"state": "resolved"}).data["notifications"]
    assert row["id"] == notification
    assert otto.get(f"{path}?state=wrong").code == 400


def test_open_work_says_why_it_is_open(signed_in: SignedIn, orders: int) -> None:
    text = text_of(signed_in("otto").get("/console/operations/work"))

    assert "The gateway holds the transaction until somebody reviews it there." in text
    assert "$185.00" in text
    assert "Outbox: confirmations to be sent" in text
    assert "■ failed" in text or "■ rejected" in text


def test_retrying_when_nothing_is_set_aside_says_so(signed_in: SignedIn, orders: int) -> None:
    otto = signed_in("otto")

    assert otto.post("/console/operations/dead-letters/retry", REASON).code == 303

    text = text_of(otto.get("/console/operations/dead-letters"))
    assert "Nothing is set aside." in text
    assert "nothing is left" in text


def _poisoned(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Given an order whose submission the conversion report cannot take in; its id."""
    fold = Conversion.fold

    def refuse(model: Conversion, event: Stream.Event, position: int, changes: Changes) -> None:
        if isinstance(event, Order.Submitted):
            raise KeyError("no such thing")
        fold(model, event, position, changes)

    monkeypatch.setattr(Conversion, "fold", refuse)
    return str(world.pay(world.body()).order["id"])


def _views(world: World) -> str:
    return world.settings.views_url.removeprefix("sqlite:///")


def _change_a_served_row(world: World, projection: str, statement: str) -> None:
    """What a defect, or a hand in the database, may do to the first generation."""
    with closing(sqlite3.connect(_views(world).replace(".db", f"-{projection}-1.db"))) as file, file:
        assert file.execute(statement).rowcount == 1

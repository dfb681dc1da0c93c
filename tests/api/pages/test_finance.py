"""Finance: the books, from a figure to the moment of an order; breaks; months; exports; the log and its seals."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from http.client import HTTPConnection, HTTPMessage
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from api.pages.finance.exports import ABOUT
from application.adapters.recorders import open_recorder
from application.event_log import EventLog
from application.stored_events import CODEC
from domain.settlement_break import BreakClass, SettlementBreak
from domain.stream import Metadata
from tests.api.pages.browsing import Visitor, text_of
from tests.end_to_end.world import FAY, World, eventually
from tests.helpers import run

SignedIn = Callable[[str], Visitor]
PAGES = (
    "/console/finance",
    "/console/finance/ledger",
    "/console/finance/clearing",
    "/console/finance/breaks",
    "/console/finance/months",
    "/console/finance/exports",
    "/console/finance/log",
    "/console/finance/trial-balance.csv",
    "/console/finance/log/checkpoint.txt",
    "/console/finance/exports/csv",
)
REASON = {"reason": "looked at it with the bank"}
BREAK = UUID(int=77)


@pytest.fixture(scope="module")
def order(world: World) -> dict[str, object]:
    """An order of $166.50 after a discount, one of $185.00, and a settlement break; the first order."""
    first = world.pay(world.body(promotion_code=world.promotion("TEN"))).order
    world.pay(world.body())
    run(_break(world))
    position = run(_head(world))
    for slug in ("ledger", "trial-balance"):
        assert world.get(f"/api/v1/reports/{slug}", FAY, {"min_position": position, "limit": 1}).code == 200
    return first


async def _break(world: World) -> None:
    recorder = open_recorder(world.settings.database_url)
    now = datetime.now(UTC)
    found = SettlementBreak.empty(BREAK)
    found.find(
        Metadata(now, "system:test", "req_1", "req_1"),
        classification=BreakClass.AMOUNT_DIFFERS, transaction_id="60001", batch_id="1", invoice_number=None,
        order_id=None, ours_cents=18_500, theirs_cents=18_000, happened_at=now,
        cause="The gateway settled <less> than was charged.", next_command="orders audit breaks own ID",
    )  # fmt: skip
    try:
        await EventLog(recorder, CODEC).save(found)
    finally:
        await recorder.close()


async def _head(world: World) -> int:
    recorder = open_recorder(world.settings.database_url)
    try:
        return await recorder.max_position()
    finally:
        await recorder.close()


@pytest.mark.parametrize("path", PAGES)
def test_finance_is_for_finance(visitor: Visitor, signed_in: SignedIn, order: dict[str, object], path: str) -> None:
    assert visitor.get(path).code == 303
    eventually(lambda: signed_in("fay").get(path).code == 200)
    assert signed_in("ed").get(path).code == 200
    for person in ("lee", "rae", "otto"):
        assert signed_in(person).get(path).code == 403


def test_the_trial_balance_is_zero_and_leads_to_its_entries(signed_in: SignedIn, order: dict[str, object]) -> None:
    fay = signed_in("fay")

    page = fay.get("/console/finance")
    text = text_of(page)
    assert "Debits equal credits" in text
    assert "assets:gateway-clearing" in text
    link = re.search(r'href="(/console/finance/ledger\?account=assets%3Agateway-clearing)"', page.text)
    assert link is not None
    entries = fay.get(link[1])
    assert "$166.50" in text_of(entries)
    moment = re.search(r'href="(/console/orders/[0-9a-f-]+\?at=\d+)"', entries.text)
    assert moment is not None
    assert fay.get(moment[1].replace("&amp;", "&")).code == 200


def test_the_trial_balance_of_before_is_empty_and_one_at_a_position_is_not(
    world: World, signed_in: SignedIn, order: dict[str, object]
) -> None:
    fay = signed_in("fay")

    assert "Nothing had been booked by then." in text_of(fay.get("/console/finance?at=2020-01-01"))
    assert "Nothing had been booked by then." in text_of(fay.get("/console/finance?at=1"))
    assert "Debits equal credits" in text_of(fay.get(f"/console/finance?at={run(_head(world))}"))
    for wrong in ("at=yesterday", "time=never", "to=2026-01-01"):
        assert fay.get(f"/console/finance?{wrong}").code == 400


def test_the_download_of_the_balance_is_the_balance(signed_in: SignedIn, order: dict[str, object]) -> None:
    rows = list(csv.DictReader(io.StringIO(signed_in("fay").get("/console/finance/trial-balance.csv").text)))

    (clearing,) = [row for row in rows if row["account"] == "assets:gateway-clearing"]
    assert clearing == {"account": "assets:gateway-clearing", "debit": "351.50", "credit": "0.00", "balance": "351.50"}
    assert "-370.00" in [row["balance"] for row in rows]  # revenue stands on the credit side
    assert sum(Decimal(row["balance"]) for row in rows) == 0


def test_the_ledger_of_an_order_is_found_by_its_number(signed_in: SignedIn, order: dict[str, object]) -> None:
    fay = signed_in("fay")

    text = text_of(fay.get(f"/console/finance/ledger?order={order['number']}&account=&from=&to="))
    assert "$185.00" in text
    assert "$18.50" in text
    assert fay.get("/console/finance/ledger?order=NOBODY").code == 404
    assert fay.get("/console/finance/ledger?cursor=x").code == 400
    assert fay.get("/console/finance/ledger?from=2026-11-02&to=2026-11-01").code == 400
    assert "No entries." in text_of(fay.get("/console/finance/ledger?account=nothing"))


def test_open_items_are_the_clearing_balance(signed_in: SignedIn, order: dict[str, object]) -> None:
    text = text_of(signed_in("fay").get("/console/finance/clearing"))

    assert "$351.50 balance of the account" in text
    assert "$351.50 sum of the open items 2 items" in text


def test_a_break_is_owned_and_resolved_with_a_reason(signed_in: SignedIn, order: dict[str, object]) -> None:
    fay = signed_in("fay")
    path = f"/console/finance/breaks/{BREAK}"
    eventually(lambda: "The gateway settled <less> than was charged." in text_of(fay.get("/console/finance/breaks")))
    assert "<less>" not in fay.get("/console/finance/breaks").text

    assert fay.post(f"{path}/own", {"reason": ""}).code == 400
    assert fay.post(f"{path}/own", REASON).code == 303
    assert re.search(r"Owned by user:\d+", text_of(fay.get("/console/finance/breaks?state=owned")))
    nothing_open = text_of(fay.get("/console/finance/breaks"))
    assert "No break is open. 1 that was found is owned by somebody and not resolved." in nothing_open
    assert "is what the log says" not in nothing_open
    assert fay.post(f"{path}/resolve", REASON).code == 303
    assert "Resolved looked at it with the bank" in text_of(fay.get("/console/finance/breaks?state=resolved"))
    assert "compared is what the log says" in text_of(fay.get("/console/finance/breaks"))
    again = fay.post(f"{path}/resolve", REASON)
    assert again.code == 409
    assert "resolved already" in text_of(again)
    assert signed_in("rae").post(f"{path}/resolve", REASON).code == 403


def test_months_begin_with_the_first_entry(signed_in: SignedIn, order: dict[str, object]) -> None:
    text = text_of(signed_in("fay").get("/console/finance/months"))

    assert f"{datetime.now(UTC):%Y-%m} ◐ open" in text
    assert "not over" in text


@pytest.mark.parametrize("wanted", ABOUT)
def test_every_format_can_be_downloaded(
    world: World, signed_in: SignedIn, order: dict[str, object], wanted: str
) -> None:
    fay = signed_in("fay")
    month = f"{datetime.now(UTC):%Y-%m}"
    headers, body = _bytes(world, fay, f"/console/finance/exports/{wanted}?period={month}")

    assert headers["Content-Disposition"].startswith(f'attachment; filename="{month}-')
    assert headers["Cache-Control"] == "no-store"
    assert len(body) > 100
    if wanted == "manifest":
        manifest = json.loads(body)
        hashes = {file["format"]: file["sha256"] for file in manifest["files"]}
        _, rows = _bytes(world, fay, f"/console/finance/exports/csv?period={month}")
        assert hashes["csv"] == hashlib.sha256(rows).hexdigest()
        assert manifest["totals"]["debit"] == manifest["totals"]["credit"]


def test_what_cannot_be_exported_is_refused(signed_in: SignedIn, order: dict[str, object]) -> None:
    fay = signed_in("fay")
    assert fay.get("/console/finance/exports/word").code == 404
    assert fay.get("/console/finance/exports/csv?period=2026-13").code == 400
    assert fay.get("/console/finance/exports/csv?from=2026-11-02&to=2026-11-01").code == 400


def test_the_log_is_verified_on_request_and_by_whom_is_kept(signed_in: SignedIn, order: dict[str, object]) -> None:
    fay = signed_in("fay")
    path = "/console/finance/log"
    eventually(lambda: fay.get(f"{path}/checkpoint.txt").code == 200)

    note = fay.get(f"{path}/checkpoint.txt").text
    assert base64.b64decode(note.split("\n")[2])
    assert fay.post(f"{path}/verify", REASON).code == 303

    eventually(lambda: "the log is what was sealed" in text_of(fay.get(path)))
    assert re.search(r"user:\d+ verification requested looked at it with the bank", text_of(fay.get(path)))


def _bytes(world: World, visitor: Visitor, path: str) -> tuple[HTTPMessage, bytes]:
    """A download as it is, also where it is no text."""
    connection = HTTPConnection(urlsplit(world.url).netloc, timeout=20)
    try:
        connection.request("GET", path, headers={"Cookie": visitor.cookie or ""})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.headers, answer.read()
    finally:
        connection.close()

"""What a page refuses or answers when it would take too long, too much, or cannot be read: never a wrong figure."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeout

import api.views_database
from api.pages.finance import books, exports
from application.adapters.query_limit import TookTooLong, limited
from application.adapters.sql import Busy, make_engine
from application.audit.seals.storing import StoreFailed
from projections.stuck_work import Backlog
from tests.api.pages.browsing import Visitor, text_of
from tests.end_to_end.world import World, eventually

SignedIn = Callable[[str], Visitor]
ENDLESS = sa.text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")


@pytest.fixture(scope="module")
def order(world: World) -> None:
    """An order of $185.00."""
    world.pay(world.body())


@pytest.fixture
def fay(signed_in: SignedIn, order: None) -> Visitor:
    """Finance, in a world with an order that is booked."""
    fay = signed_in("fay")
    eventually(lambda: "Debits equal credits" in text_of(fay.get("/console/finance")))
    return fay


def test_before_anything_was_compared_no_page_says_that_all_is_well(fay: Visitor) -> None:
    for state in ("open", "all"):
        text = text_of(fay.get(f"/console/finance/breaks?state={state}"))
        assert "Nothing has been compared yet" in text
        assert "is what the log says" not in text


def test_a_query_that_never_ends_is_ended_on_either_database_and_the_connection_is_fine(database_url: str) -> None:
    engine = make_engine(database_url)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.text("SET LOCAL statement_timeout = '100ms'"))
            with pytest.raises(TookTooLong), limited(connection, 0.1):
                connection.execute(ENDLESS)
        with engine.begin() as connection:
            assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1
    finally:
        engine.dispose()


def test_a_balance_that_takes_too_long_is_answered_clearly_and_frees_its_thread(
    fay: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as slow:
        slow.setattr(api.views_database, "limited", partial(limited, limit_s=0.05))
        slow.setattr(books, "trial_balance", lambda connection, _: connection.execute(ENDLESS).all())
        for _ in range(6):  # more than there are threads
            answer = fay.get("/console/finance?at=5")
            assert answer.code == 503
            assert "This takes too long" in text_of(answer)
            assert "Choose a shorter range" in text_of(answer)

    assert fay.get("/console/finance?at=5").code == 200


@pytest.mark.parametrize("error", [TimeoutError(), Busy("many"), PoolTimeout("pool"), StoreFailed("seals")])
def test_what_is_busy_or_away_is_no_fault_of_ours(
    fay: Visitor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(books, "trial_balance", fails)
    answer = fay.get("/console/finance")

    assert answer.code == 503
    assert "Not readable now" in text_of(answer)


def test_more_entries_than_a_download_may_have_are_refused_with_the_command_to_use(
    fay: Visitor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(exports, "MAX_ENTRIES", 0)

    for wanted, option in (("csv", "--format csv"), ("manifest", "--all-formats")):
        answer = fay.get(f"/console/finance/exports/{wanted}")
        assert answer.code == 400
        assert f"orders ledger export {option} --out DIR" in text_of(answer)
    chosen = fay.get("/console/finance/exports/csv?from=2026-01-01&to=2099-12-31")
    assert "--format csv --from 2026-01-01 --to 2100-01-01 --out DIR" in text_of(chosen)
    assert fay.get("/console/finance/exports/csv?period=2020-01").code == 200  # it has none
    eventually(lambda: not list(tmp_path.iterdir()))


@pytest.mark.parametrize("wanted", ["bytes=0-3", "bytes=abc", "bytes=99999999-"])
def test_a_download_comes_whole_whatever_range_is_asked_and_leaves_nothing_behind(
    world: World, fay: Visitor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wanted: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    connection = HTTPConnection(urlsplit(world.url).netloc, timeout=20)
    try:
        connection.request("GET", "/console/finance/exports/csv", headers={"Cookie": fay.cookie or "", "Range": wanted})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()

    assert answer.status == 200
    assert len(body) == int(answer.headers["Content-Length"]) > 100
    assert answer.headers["Accept-Ranges"] == "none"
    eventually(lambda: not list(tmp_path.iterdir()))


def test_the_balance_of_an_instant_leads_to_the_entries_until_that_instant(fay: Visitor) -> None:
    page = fay.get("/console/finance?at=2100-01-01&time=effective")
    link = "/console/finance/ledger?account=assets%3Agateway-clearing&amp;at=2100-01-01&amp;time=effective"
    assert f'href="{link}"' in page.text

    then = fay.get(link.replace("&amp;", "&"))
    assert "Only what was effective until 2100-01-01." in text_of(then)
    assert "$185.00" in text_of(then)
    for before in ("at=1", "at=2020-01-01", "at=2020-01-01&time=effective"):
        assert "No entries." in text_of(fay.get(f"/console/finance/ledger?{before}"))
    assert fay.get("/console/finance/ledger?at=yesterday").code == 400


def test_the_overview_says_how_the_engine_stands_and_leads_to_where_it_is_mended(
    world: World, signed_in: SignedIn, fay: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ed = signed_in("ed")
    eventually(lambda: "the log is being sealed" in text_of(ed.get("/console/")))
    text = text_of(ed.get("/console/"))
    for fine in (
        "● somebody does the background work",
        "● lists follow the log",
        "● no work is overdue",
        "● no open break",
    ):
        assert fine in text
    assert 'href="/console/operations/work"' in ed.get("/console/").text
    assert 'href="/console/operations/work"' not in fay.get("/console/").text  # she may not open it
    assert "background work" not in text_of(signed_in("lee").get("/console/"))

    monkeypatch.setattr("api.pages.standing_checks.read_backlog", _three_overdue)
    monkeypatch.setattr("api.pages.standing_checks.count_breaks", lambda _: {"open": 1, "owned": 4})
    text = text_of(ed.get("/console/"))
    assert "■ 3 orders overdue" in text
    assert "▲ 1 open break" in text

    monkeypatch.setattr("api.pages.standing_checks.count_breaks", _busy)
    text = text_of(ed.get("/console/"))
    assert "■ breaks: cannot be read now" in text
    assert "● somebody does the background work" in text


def _three_overdue(*_: object) -> list[Backlog]:
    return [Backlog("payment", 4, 3, 900.0)]


def _busy(*_: object) -> None:
    raise Busy("many")

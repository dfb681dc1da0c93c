"""The files say what the ledger says: read back by other people's programs, whole, and the same every time."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pyarrow import parquet

from api.read_models import LEDGER
from domain.stream import Stream
from projections.ledger.balances import Selection, trial_balance
from projections.ledger.exports import hledger_file, parquet_file, xlsx_file
from projections.ledger.exports.beancount_file import account_name
from projections.ledger.exports.journal import amount_text
from projections.ledger.exports.writing import FORMATS, export_journal
from projections.ledger.reading import reading
from projections.paging import Span
from tests.projections.histories import ENDINGS, START, Wish, history
from tests.projections.ledger.histories import Orphan, batch_events, orphan_events, settleable, settled
from tests.projections.world import World

BEAN_CHECK = Path(sys.executable).with_name("bean-check")
Sums = dict[str, Decimal]


def a_log() -> list[Stream.Event]:
    events = history([Wish(ending, (None, 0, 1, 2)[n % 4], both=n % 2 > 0, days=n) for n, ending in enumerate(ENDINGS)])
    events += orphan_events(1, Orphan("refunded")) + orphan_events(2, Orphan(None, amount_cents=7))
    return events + batch_events(1, START, [*settleable(events), settled("chargeback", "1", 5)])


@pytest.fixture(scope="module")
def told(shared_world: World) -> World:
    shared_world.append(a_log())
    shared_world.follow()
    return shared_world


def exported(world: World, folder: Path, selection: Selection | None = None, *formats: str) -> dict[str, Any]:
    with reading(world.parts.storage, LEDGER) as (_, connection):
        return export_journal(connection, folder, formats or FORMATS, selection or Selection())


def sums_of(rows: list[tuple[str, Any, Any]]) -> Sums:
    """Account, debit and credit → balances."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for account, debit, credit in rows:
        sums[account] += Decimal(str(debit or 0)) - Decimal(str(credit or 0))
    return dict(sums)


def balances(world: World) -> Sums:
    rows = world.read(LEDGER, trial_balance)
    return {row["account"]: Decimal(row["balance_cents"]) / 100 for row in rows}


def checked(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_file_read_back_has_the_sums_of_the_trial_balance(told: World, tmp_path: Path) -> None:
    manifest = exported(told, tmp_path)
    expected = balances(told)

    with (tmp_path / "journal.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sums_of([(row["account"], row["debit"], row["credit"]) for row in rows]) == expected
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert sums_of([(p["account"], p["amount"], 0) for line in lines for p in line["postings"]]) == expected
    book = openpyxl.load_workbook(tmp_path / "journal.xlsx", read_only=True)
    sheet = book["Journal"]
    head, *cells = sheet.iter_rows(values_only=True)
    account, debit, credit = (head.index(name) for name in ("account", "debit", "credit"))
    assert sums_of([(str(row[account]), row[debit], row[credit]) for row in cells]) == expected
    table = parquet.read_table(tmp_path / "journal.parquet").select(["account", "debit", "credit"]).to_pylist()
    assert sums_of([(row["account"], row["debit"], row["credit"]) for row in table]) == expected

    assert len(rows) == len(cells) == len(table) == manifest["postings"]
    assert len(lines) == manifest["entries"]
    book.close()


def test_beancount_accepts_its_file_with_the_balances_in_it(told: World, tmp_path: Path) -> None:
    exported(told, tmp_path, None, "beancount")
    file = tmp_path / "journal.beancount"
    checked(BEAN_CHECK, file)
    file.write_text(file.read_text().replace("185.00 USD", "185.01 USD", 1))
    with pytest.raises(AssertionError, match="balance"):
        checked(BEAN_CHECK, file)


@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
def test_hledger_accepts_its_file_with_the_balances_in_it(told: World, tmp_path: Path) -> None:
    exported(told, tmp_path, None, "hledger")
    file = tmp_path / "journal.journal"
    checked("hledger", "-f", file, "check", "--strict")
    shown = json.loads(checked("hledger", "-f", file, "balance", "--output-format", "json"))
    found = {row[0]: Decimal(row[3][0]["aquantity"]["decimalMantissa"]).scaleb(-2) for row in shown[0] if row[3]}
    assert found == {account: cents for account, cents in balances(told).items() if cents}
    file.write_text(file.read_text().replace("185.00 USD", "185.01 USD", 1))
    with pytest.raises(AssertionError, match="balance"):
        checked("hledger", "-f", file, "check")


def test_a_second_run_writes_the_same_bytes(told: World, tmp_path: Path) -> None:
    first, second = exported(told, tmp_path / "1"), exported(told, tmp_path / "2")
    assert first == second
    assert {file["format"] for file in first["files"]} == set(FORMATS)
    for file in first["files"]:
        content = (tmp_path / "2" / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    names = {file.name for file in (tmp_path / "1").iterdir()}
    assert names == {"manifest.json", *(file["name"] for file in first["files"])}
    assert json.loads((tmp_path / "1" / "manifest.json").read_text()) == first


def test_the_manifest_counts_what_the_span_has(told: World, tmp_path: Path) -> None:
    seam = START.replace(day=4, hour=0, minute=0)
    before, after = (
        exported(told, tmp_path, Selection(span), "csv") for span in (Span(end=seam), Span(start=seam))
    )  # fmt: skip
    everything = exported(told, tmp_path, None, "csv")
    assert (before["from"], before["to"]) == (None, "2026-11-04T00:00:00.000000Z")
    assert before["entries"] + after["entries"] == everything["entries"] > after["entries"] > 0
    assert everything["totals"]["debit"] == everything["totals"]["credit"]
    assert {"id": "order-submitted", "version": 1} in everything["rules"]
    for account, cents in balances(told).items():
        assert Decimal(everything["accounts"][account]["balance"]) == cents
    month = exported(told, tmp_path, Selection(period="2026-12"), "csv", "beancount", "hledger", "parquet", "xlsx")
    assert (month["entries"], month["first_position"], month["accounts"]) == (0, None, {})
    checked(BEAN_CHECK, tmp_path / "journal.beancount")


def test_large_journals_are_written_in_sheets_and_row_groups(
    told: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_file, "SHEET_ROWS", 20)
    monkeypatch.setattr(parquet_file, "GROUP_ROWS", 20)
    manifest = exported(told, tmp_path, None, "xlsx", "parquet")
    book = openpyxl.load_workbook(tmp_path / "journal.xlsx", read_only=True)
    rows = sum(len(list(sheet.iter_rows())) - 1 for sheet in book.worksheets)
    found = parquet.ParquetFile(tmp_path / "journal.parquet")
    assert len(book.worksheets) > 1
    assert found.num_row_groups > 1
    assert rows == found.metadata.num_rows == manifest["postings"]
    book.close()
    found.close()


def test_what_fails_leaves_the_files_of_before_and_no_manifest_that_speaks_of_others(
    told: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    exported(told, out, None, "csv", "hledger")
    before = (out / "journal.csv").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hledger_file.HledgerWriter, "add", full)
    with pytest.raises(OSError, match="No space"):
        exported(told, out, Selection(period="2026-11"), "csv", "hledger")
    assert (out / "journal.csv").read_bytes() == before
    assert {file.name for file in out.iterdir()} == {"journal.csv", "journal.journal"}


def test_amounts_have_two_places_and_no_float_comes_near_them() -> None:
    assert [amount_text(cents) for cents in (0, 5, -5, 18_500, -123_456_789_012_345_678)] == [
        "0.00", "0.05", "-0.05", "185.00", "-1234567890123456.78",
    ]  # fmt: skip


def test_accounts_of_any_name_have_names_of_their_own_in_beancount() -> None:
    slugs = ("photos", "twilight_photos", "twilight-photos", "Photos", "a1", "A1", "3d", "größe", "a b", "-", "é")
    names = [account_name(f"revenue:services:{slug}") for slug in slugs]
    assert names[:2] == ["Income:Services:Photos", "Income:Services:Twilight-photos"]
    assert account_name("revenue:discounts:SPRING10") == "Income:Discounts:SPRING10"
    assert account_name("liabilities:suspense:orphan-charges") == "Liabilities:Suspense:Orphan-charges"
    assert len(set(names)) == len(slugs)


def test_every_such_name_is_accepted(tmp_path: Path) -> None:
    names = [
        account_name(f"revenue:services:{slug}") for slug in ("größe", "a b", "-", "é", "Photos", "A1", "a;b", "x:")
    ]
    file = tmp_path / "names.beancount"
    file.write_text("".join(f"2026-01-01 open {name} USD\n" for name in names))
    checked(BEAN_CHECK, file)

"""Every code of the gateway has one meaning."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from application.adapters.authorizenet.codes import STATUS, UNSURE


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("1", "approved"),
        ("2", "declined-payment"),
        ("3", "declined-payment"),
        ("6", "card-number-invalid"),
        ("8", "card-expired"),
        ("11", "duplicate-payment"),
        ("13", "invalid-payment-processor-api-keys"),
        ("27", "declined-payment"),
        ("37", "card-number-invalid"),
        ("65", "declined-payment"),
        ("78", "failed-payment"),
        ("103", "invalid-payment-processor-api-keys"),
        ("120", "external-application-error"),
        ("193", "held-for-review"),
        ("252", "held-for-review"),
        ("253", "held-for-review"),
        ("295", "failed-payment"),
        ("310", "external-application-error"),
        ("317", "card-expired"),
        ("318", "duplicate-payment"),
        ("2109", "external-application-error"),
        ("E00003", "external-application-error"),
        ("E00007", "invalid-payment-processor-api-keys"),
        ("E00027", "failed-payment"),
        ("E00040", "failed-payment"),
        ("E00114", "failed-payment"),
        ("I00001", "ok-no-transaction"),
    ],
)
def test_a_code_means_its_status(code: str, status: str) -> None:
    assert STATUS[code] == status


@pytest.mark.parametrize("code", ["125", "249", "999", "E00108", "E99999", ""])
def test_a_code_that_is_not_listed_means_nothing(code: str) -> None:
    assert code not in STATUS


@pytest.mark.parametrize("code", ["19", "20", "52", "120", "121", "122", "152", "181", "E00001", "E00053", "E00104"])
def test_the_gateways_own_doubts_are_no_definite_no(code: str) -> None:
    assert code in UNSURE
    assert STATUS[code] == "external-application-error"


@pytest.mark.skipif("ORDERS_RECORDED_ANSWERS" not in os.environ, reason="needs the recorded answers and their table")
def test_every_row_of_the_published_table_is_mapped_as_it_says() -> None:
    table = Path(os.environ["ORDERS_RECORDED_ANSWERS"]).parent / "codes.tsv"
    with table.open(newline="") as file:
        published = list(csv.DictReader(file, delimiter="\t"))
    assert {row["code"]: row["status"] for row in published} == STATUS
    assert {row["code"] for row in published if row["outcome"] == "unknown"} == UNSURE

"""Answers that were recorded elsewhere are read as their index says; skipped where they are not at hand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from application.adapters.authorizenet.answers import parse
from application.adapters.authorizenet.interpretation import charge_outcome
from application.ports import Approved, ChargeOutcome, Declined, GatewayFailed, HeldForReview, OutcomeUnknown

FOLDER = os.environ.get("ORDERS_RECORDED_ANSWERS")


def recorded() -> list[tuple[Path, str]]:
    """The answers that a charge could get, with the expected status."""
    if FOLDER is None:
        return []
    with (Path(FOLDER) / "index.tsv").open(newline="") as file:
        return [
            (Path(FOLDER) / row["name"], row["expected_status"])
            for row in csv.DictReader(file, delimiter="\t")
            if row["root"] in {"createTransactionResponse", "ErrorResponse"}
        ]


def status_of(outcome: ChargeOutcome) -> str:
    match outcome:
        case Approved():
            return "approved"
        case HeldForReview():
            return "held-for-review"
        case Declined(status=status) | GatewayFailed(status=status):
            return status
        case OutcomeUnknown(reason="inconsistent"):
            return "inconsistent"
        case _:
            return "external-application-error"


@pytest.mark.skipif(FOLDER is None, reason="needs recorded answers")
@pytest.mark.parametrize(("file", "expected"), recorded(), ids=lambda value: getattr(value, "stem", None))
def test_a_recorded_answer_is_read_as_its_index_says(file: Path, expected: str) -> None:
    body = file.read_bytes()
    outcome = charge_outcome(body, parse(body).text("refId") or "")
    assert status_of(outcome) == expected.partition(" ")[0]

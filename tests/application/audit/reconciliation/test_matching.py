"""Whatever goes wrong between the log and the gateway is named once, by its class, and nothing else is named."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.audit.reconciliation.books import (
    BatchTotals,
    Books,
    OurCharge,
    OurRefund,
    SettledRow,
    Standing,
)
from application.audit.reconciliation.disputes import REVERSAL
from application.audit.reconciliation.matching import Comparison, Key, Terms, compare
from domain.settlement_break import BreakClass

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
NOW = FIRST + timedelta(days=40)
GRACE = timedelta(days=3)
TERMS = Terms(FIRST, FIRST + timedelta(days=31), NOW, GRACE)
Case = Callable[["Pair"], list[tuple[BreakClass, str]]]


class Pair:
    """One order with its charge, and what the gateway makes of it; the ids are made from its number."""

    def __init__(self, books: Books, number: int, cents: int, at: datetime) -> None:
        self.books = books
        self.order_id, self.id, self.invoice = UUID(int=number), f"{number}0", f"INV{number:017d}"
        self.cents, self.at = cents, at
        self.charge = OurCharge(self.id, self.order_id, self.invoice, cents, at)

    @property
    def refund_id(self) -> str:
        return f"{self.id}9"

    def here(self, **changes: object) -> None:
        """Given the charge in the log."""
        self.charge = replace(self.charge, **changes)  # type: ignore[arg-type]
        self.books.charges[self.id] = self.charge
        if self.charge.order_id:
            self.books.attempts[self.charge.order_id] = self.invoice

    def refund_here(self) -> None:
        self.books.charges[self.id].refunded = True
        self.books.refunds[self.refund_id] = OurRefund(
            self.refund_id, self.charge.order_id, self.invoice, self.cents, self.at
        )

    def there(
        self,
        kind: str = "charge",
        *,
        id: str | None = None,
        status: str = "settledSuccessfully",
        cents: int | None = None,
        days: float = 1,
        batch: str = "b1",
    ) -> None:
        """Given a row in a settled batch."""
        self.books.rows.append(
            SettledRow(
                batch,
                id or self.id,
                self.invoice,
                kind,
                status,
                self.cents if cents is None else cents,
                self.at,
                self.at + timedelta(days=days),
            )
        )


# --- what can become of a charge, and what must be found --------------------------------------------------------------


def matched(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here()
    pair.there()
    return []


def another_amount(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here()
    pair.there(cents=pair.cents + 1)
    return [(BreakClass.AMOUNT_DIFFERS, pair.id)]


def nobodys(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.there()
    return [(BreakClass.MISSING_HERE, pair.id)]


def attempt_that_ended(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.books.attempts[pair.order_id] = pair.invoice
    pair.there()
    return [(BreakClass.MISSING_HERE, pair.id)]


def never_settled(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here()
    return [(BreakClass.MISSING_THERE, pair.id)]


def voided(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here(voided=True)
    return []


def voided_yet_settled(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here(voided=True)
    pair.there()
    return [(BreakClass.MISSING_HERE, pair.id)]


def settled_twice(pair: Pair) -> list[tuple[BreakClass, str]]:
    matched(pair)
    pair.there(batch="b2")
    return [(BreakClass.DUPLICATE, pair.id)]


def charged_twice(pair: Pair) -> list[tuple[BreakClass, str]]:
    matched(pair)
    pair.there(id=f"{pair.id}7")
    return [(BreakClass.DUPLICATE, f"{pair.id}7")]


def late(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here()
    pair.there(days=3.1)
    return [(BreakClass.LATE, pair.id)]


def returned(pair: Pair) -> list[tuple[BreakClass, str]]:
    matched(pair)
    pair.there("returned", id=f"{pair.id}8", status="returnedItem")
    return [(BreakClass.RETURNED, f"{pair.id}8")]


def charged_back(pair: Pair) -> list[tuple[BreakClass, str]]:
    matched(pair)
    pair.there("chargeback", id=f"{pair.id}8", status="chargeback")
    return [(BreakClass.CHARGED_BACK, f"{pair.id}8")]


def charged_back_and_reversed(pair: Pair) -> list[tuple[BreakClass, str]]:
    charged_back(pair)
    pair.there(id=f"{pair.id}6", status=REVERSAL)
    return []


def charged_back_again_after_the_reversal(pair: Pair) -> list[tuple[BreakClass, str]]:
    charged_back_and_reversed(pair)
    pair.there("chargeback", id=f"{pair.id}5", status="chargeback", days=2)
    return [(BreakClass.CHARGED_BACK, f"{pair.id}5")]


def reversed_in_part(pair: Pair) -> list[tuple[BreakClass, str]]:
    charged_back(pair)
    pair.there(id=f"{pair.id}6", status=REVERSAL, cents=pair.cents + 1)
    return [(BreakClass.CHARGED_BACK, f"{pair.id}8"), (BreakClass.MISSING_HERE, f"{pair.id}6")]


def reversed_without_a_chargeback(pair: Pair) -> list[tuple[BreakClass, str]]:
    matched(pair)
    pair.there(id=f"{pair.id}6", status=REVERSAL)
    return [(BreakClass.MISSING_HERE, f"{pair.id}6")]


def refunded(pair: Pair) -> list[tuple[BreakClass, str]]:
    matched(pair)
    pair.refund_here()
    pair.there("refund", id=pair.refund_id, status="refundSettledSuccessfully")
    return []


def refund_never_paid(pair: Pair) -> list[tuple[BreakClass, str]]:
    matched(pair)
    pair.refund_here()
    return [(BreakClass.MISSING_THERE, pair.refund_id)]


def refund_of_another_amount(pair: Pair) -> list[tuple[BreakClass, str]]:
    refunded(pair)
    pair.books.rows[-1] = replace(pair.books.rows[-1], amount_cents=pair.cents + 5)
    return [(BreakClass.AMOUNT_DIFFERS, pair.refund_id)]


def refund_by_hand(pair: Pair) -> list[tuple[BreakClass, str]]:
    matched(pair)
    pair.there("refund", id=pair.refund_id, status="refundSettledSuccessfully")
    return [(BreakClass.MISSING_HERE, pair.refund_id)]


def orphan_given_back(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here(standing=Standing.ORPHAN, order_id=None)
    pair.there()
    pair.refund_here()
    pair.there("refund", id=pair.refund_id, status="refundSettledSuccessfully")
    return []


def orphan_of_another_amount(pair: Pair) -> list[tuple[BreakClass, str]]:
    orphan_given_back(pair)
    pair.books.rows[-2] = replace(pair.books.rows[-2], amount_cents=pair.cents + 5)
    return [(BreakClass.AMOUNT_DIFFERS, pair.id)]


def orphan_kept(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here(standing=Standing.ORPHAN, order_id=None)
    pair.there()
    return [(BreakClass.MISSING_HERE, pair.id)]


def orphan_voided(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here(standing=Standing.ORPHAN, order_id=None, voided=True)
    return []


def unexpected_kept(pair: Pair) -> list[tuple[BreakClass, str]]:
    pair.here(standing=Standing.UNEXPECTED)
    pair.there()
    return [(BreakClass.MISSING_HERE, pair.id)]


CASES: list[Case] = [
    matched, another_amount, nobodys, attempt_that_ended, never_settled, voided, voided_yet_settled, settled_twice,
    charged_twice, late, returned, charged_back, charged_back_and_reversed, charged_back_again_after_the_reversal,
    reversed_in_part, reversed_without_a_chargeback, refunded, orphan_of_another_amount,
    refund_never_paid, refund_of_another_amount, refund_by_hand, orphan_given_back, orphan_kept, orphan_voided,
    unexpected_kept,
]  # fmt: skip


def found(comparison: Comparison) -> list[tuple[BreakClass, str]]:
    return sorted((each.key.classification, each.key.transaction_id or "") for each in comparison.found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_each_case_alone_is_named_by_its_class(case: Case) -> None:
    books = Books()
    expected = case(Pair(books, 1, 18_500, FIRST + timedelta(days=2)))
    assert found(compare(books, TERMS)) == sorted(expected)


plans = st.lists(
    st.tuples(st.sampled_from(CASES), st.integers(1, 99_999_999), st.floats(0, 25)), min_size=1, max_size=40
)


@settings(max_examples=150, deadline=None)
@given(plans, st.randoms(use_true_random=False))
def test_planted_faults_are_all_found_and_none_is_false(
    plan: list[tuple[Case, int, float]], shuffled: random.Random
) -> None:
    books = Books()
    expected: list[tuple[BreakClass, str]] = []
    for number, (case, cents, day) in enumerate(plan, start=1):
        expected += case(Pair(books, number, cents, FIRST + timedelta(days=day)))
    comparison = compare(books, TERMS)
    assert found(comparison) == sorted(expected)
    assert comparison.matched + sum(comparison.counts.values()) == len(books.rows) + sum(
        each is BreakClass.MISSING_THERE for each, _ in expected
    )

    shuffled.shuffle(books.rows)  # the order of import tells nothing, but for which of two is the second
    again = compare(books, TERMS)
    assert found(again) == sorted(expected)


@settings(max_examples=50, deadline=None)
@given(plans, st.integers(1, 30))
def test_two_halves_of_a_period_find_what_the_whole_finds(plan: list[tuple[Case, int, float]], cut: int) -> None:
    books = Books()
    for number, (case, cents, day) in enumerate(plan, start=1):
        case(Pair(books, number, cents, FIRST + timedelta(days=day)))
    middle = FIRST + timedelta(days=cut)
    whole, first, second = (
        compare(books, terms) for terms in (TERMS, replace(TERMS, last=middle), replace(TERMS, first=middle))
    )
    assert sorted(found(first) + found(second)) == found(whole)
    assert first.standing == second.standing == whole.standing
    assert first.matched + second.matched == whole.matched


# --- time and totals --------------------------------------------------------------------------------------------------


def test_a_young_charge_is_waited_for_until_its_grace_is_over() -> None:
    books = Books()
    pair = Pair(books, 1, 100, FIRST)
    pair.here()
    young = compare(books, replace(TERMS, now=FIRST + GRACE - timedelta(seconds=1)))
    assert (found(young), young.waiting) == ([], 1)
    old = compare(books, replace(TERMS, now=FIRST + GRACE))
    assert (found(old), old.waiting) == ([(BreakClass.MISSING_THERE, "10")], 0)


def test_matched_money_is_charges_less_refunds_of_the_period() -> None:
    books = Books()
    refunded(Pair(books, 1, 500, FIRST))
    matched(Pair(books, 2, 300, FIRST))
    matched(Pair(books, 3, 9_999, FIRST + timedelta(days=35)))
    comparison = compare(books, TERMS)
    assert (comparison.matched, comparison.matched_cents) == (3, 300)


def test_a_batch_whose_rows_do_not_add_up_to_its_statistics_is_a_break() -> None:
    books = Books()
    books.batches["b1"] = BatchTotals("b1", FIRST, 1_000, 0, 0, 0)
    books.batches["b2"] = BatchTotals("b2", FIRST, 1_000, 0, 250, 0)
    comparison = compare(books, TERMS)
    assert [each.key for each in comparison.found] == [Key(BreakClass.BATCH_TOTAL_DIFFERS, None, "b2")]
    assert (comparison.found[0].ours_cents, comparison.found[0].theirs_cents) == (750, 1_000)


def test_what_an_invoice_number_tells_names_the_order() -> None:
    books = Books()
    pair = Pair(books, 1, 100, FIRST)
    charged_back(pair)
    assert compare(books, TERMS).found[0].order_id == pair.order_id

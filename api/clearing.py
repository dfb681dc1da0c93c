"""Joins the ledger's clearing account with a reconciliation: each open item is awaited, in a break, or not compared."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import sqlalchemy as sa

from api.bootstrap import Service
from api.read_models import LEDGER
from application.audit.reconciliation.breaks import break_id
from application.audit.reconciliation.reconcile import Reconciled
from projections.ledger.accounts import CLEARING
from projections.ledger.balances import Selection, open_items, trial_balance
from projections.model import Row
from projections.registry import RebuildNeeded

CATCH_UP_S = 10.0


@dataclass(frozen=True)
class Share:
    """Some of the open items."""

    items: int
    amount_cents: int


@dataclass(frozen=True)
class Clearing:
    """What the balance of the clearing account is made of, at one position of the log."""

    position: int
    balance_cents: int
    awaited: Share  # not settled yet
    in_breaks: Share  # that somebody must still deal with
    written_off: Share  # in breaks that a person has resolved: no entry of the ledger has cleared them
    not_reconciled: Share  # of days that no reconciliation has been run over yet
    unexplained: tuple[tuple[str, int], ...]  # transaction and cents: must be empty

    @property
    def adds_up(self) -> bool:
        shares = (self.awaited, self.in_breaks, self.written_off, self.not_reconciled)
        listed = sum(share.amount_cents for share in shares)
        return not self.unexplained and listed == self.balance_cents


async def clearing(service: Service, done: Reconciled) -> Clearing | None:
    """The clearing account at the reconciliation's position.

    None where the ledger does not come to it in time, or must be rebuilt.
    """
    while await service.projector.catch_up():
        pass
    try:
        if not await service.views.wait_for(done.position, CATCH_UP_S, LEDGER):
            return None
    except RebuildNeeded:
        return None

    def read(connection: sa.Connection) -> tuple[list[Row], list[Row]]:
        return open_items(connection, done.position), trial_balance(connection, Selection.at(done.position))

    _, (items, accounts) = await service.views.read(LEDGER, read)
    balance_cents = next((row["balance_cents"] for row in accounts if row["account"] == CLEARING), 0)
    shares: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    share_of = _shares(done)
    for row in items:
        shares[share_of.get(row["item"], "unexplained")].append((row["item"], row["amount_cents"]))
    return Clearing(
        done.position,
        balance_cents,
        awaited=_share(shares["awaited"]),
        in_breaks=_share(shares["in-break"]),
        written_off=_share(shares["written-off"]),
        not_reconciled=_share(shares["not-reconciled"]),
        unexplained=tuple(shares["unexplained"]),
    )


def _shares(done: Reconciled) -> dict[str | None, str]:
    """Where each transaction belongs, by what the reconciliation says of it."""
    standing = done.comparison.standing
    unresolved = {known.id for known in done.breaks}
    broken = {key.transaction_id for key in standing if break_id(key) in unresolved}
    written_off = {key.transaction_id for key in standing if break_id(key) in done.resolved_by_people}
    return {
        **dict.fromkeys((key.transaction_id for key in standing), "not-reconciled"),
        **dict.fromkeys(done.comparison.awaited, "awaited"),
        **dict.fromkeys(written_off, "written-off"),
        **dict.fromkeys(broken, "in-break"),
    }


def _share(items: list[tuple[str, int]]) -> Share:
    return Share(len(items), sum(cents for _, cents in items))

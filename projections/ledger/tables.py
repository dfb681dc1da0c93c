"""The ledger's tables. Entries and postings are only ever added to, and are summed up by day; the last two hold what
later entries need."""

from __future__ import annotations

import sqlalchemy as sa

from projections.columns import UtcDateTime
from projections.model import GENERATION

metadata = sa.MetaData(schema=GENERATION)

# A journal entry: one event, booked by one version of one rule.
entries = sa.Table(
    "view_ledger_entries",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),  # of the event in the log
    sa.Column("stream_id", sa.Uuid, nullable=False),
    sa.Column("topic", sa.String(255), nullable=False),
    sa.Column("rule", sa.String(60), nullable=False),
    sa.Column("rule_version", sa.Integer, nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),  # when we wrote it down
    sa.Column("effective_at", UtcDateTime, nullable=False),  # when it happened
    sa.Column("period", sa.String(7), nullable=False),  # the month that it is booked in
    sa.Column("invoice_number", sa.String(64)),  # that the gateway settled it under; None for all other events
    sa.Index("ix_view_ledger_entries_stream", "stream_id"),
    sa.Index("ix_view_ledger_entries_recorded", "recorded_at"),
)
sa.Index(
    "ix_view_ledger_entries_invoice",
    entries.c.invoice_number,
    sqlite_where=entries.c.invoice_number.is_not(None),
    postgresql_where=entries.c.invoice_number.is_not(None),
)

postings = sa.Table(
    "view_ledger_postings",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),  # of its entry
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("account", sa.String(300), nullable=False),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),  # debit positive, credit negative
    sa.Column("item", sa.String(64)),  # what the amount is for: a transaction, or in the bank account a batch
    sa.Index("ix_view_ledger_postings_account", "account", "position", "line"),
)
sa.Index(
    "ix_view_ledger_postings_item",
    postings.c.item,
    sqlite_where=postings.c.item.is_not(None),
    postgresql_where=postings.c.item.is_not(None),
)

# The postings by day (UTC), so that a balance need not add up all of them.
daily = sa.Table(
    "view_ledger_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),  # recorded
    sa.Column("effective_day", sa.Date, primary_key=True),
    sa.Column("account", sa.String(300), primary_key=True),
    sa.Column("debit_cents", sa.BigInteger, nullable=False),
    sa.Column("credit_cents", sa.BigInteger, nullable=False),
)

# What each item of the clearing account comes to, so that the open ones, those not at zero, need not be searched for.
clearing_items = sa.Table(
    "view_ledger_clearing",
    metadata,
    sa.Column("item", sa.String(64), primary_key=True),  # a transaction
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
)
sa.Index(
    "ix_view_ledger_clearing_open",
    clearing_items.c.item,
    clearing_items.c.amount_cents,
    sqlite_where=clearing_items.c.amount_cents != 0,
    postgresql_where=clearing_items.c.amount_cents != 0,
)

# What an order costs, until nothing can be booked for it any more.
priced_orders = sa.Table(
    "view_ledger_orders",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("promotion_code", sa.String(255)),
    sa.Column("lines", sa.Text, nullable=False),  # JSON: [[slug, gross cents, discount cents], ...]
)

# Charges that nobody may keep, until they are given back.
suspense = sa.Table(
    "view_ledger_suspense",
    metadata,
    sa.Column("stream_id", sa.Uuid, primary_key=True),
    sa.Column("transaction_id", sa.String(64), primary_key=True),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
)

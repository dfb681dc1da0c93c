"""Settlement breaks: one row per disagreement between the log and what the gateway settled, as it stands."""

from __future__ import annotations

import sqlalchemy as sa

from domain.settlement_break import SettlementBreak
from domain.stream import Stream
from projections.columns import UtcDateTime
from projections.model import GENERATION, Changes, ReadModel, Row
from projections.paging import Page

metadata = sa.MetaData(schema=GENERATION)

settlement_breaks = sa.Table(
    "view_settlement_breaks",
    metadata,
    sa.Column("break_id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),  # at which it was found
    sa.Column("state", sa.String(20), nullable=False),  # open | owned | resolved
    sa.Column("classification", sa.String(40), nullable=False),
    sa.Column("transaction_id", sa.String(64)),
    sa.Column("batch_id", sa.String(64)),
    sa.Column("order_id", sa.Uuid),
    sa.Column("ours_cents", sa.BigInteger),
    sa.Column("theirs_cents", sa.BigInteger),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("found_at", UtcDateTime, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("next_command", sa.Text, nullable=False),
    sa.Column("owner", sa.String(255)),
    sa.Column("resolution", sa.Text),
    sa.Index("ix_view_settlement_breaks_state", "state", "position"),
    sa.Index("ix_view_settlement_breaks_position", "position", unique=True),
)

OPEN, OWNED, RESOLVED = "open", "owned", "resolved"


class SettlementBreaks(ReadModel):
    """Keeps `view_settlement_breaks`."""

    name = "settlement_breaks"
    records = (settlement_breaks,)
    events = frozenset({SettlementBreak.Found, SettlementBreak.Owned, SettlementBreak.Resolved, SettlementBreak.Mended})

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        rows = changes.records[settlement_breaks]
        match event:
            case SettlementBreak.Found():
                rows.put(_found(event, position))
            case SettlementBreak.Owned(owner=owner):
                rows.change(event.originator_id, state=OWNED, owner=owner)
            case SettlementBreak.Resolved(reason=reason) | SettlementBreak.Mended(reason=reason):
                rows.change(event.originator_id, state=RESOLVED, resolution=reason)


def _found(event: SettlementBreak.Found, position: int) -> Row:
    return {
        "break_id": event.originator_id,
        "position": position,
        "state": OPEN,
        "classification": event.classification.value,
        "transaction_id": event.transaction_id,
        "batch_id": event.batch_id,
        "order_id": event.order_id,
        "ours_cents": event.ours_cents,
        "theirs_cents": event.theirs_cents,
        "happened_at": event.happened_at,
        "found_at": event.timestamp,
        "cause": event.cause,
        "next_command": event.next_command,
        "owner": None,
        "resolution": None,
    }


def find_breaks(connection: sa.Connection, page: Page, *, state: str | None = None) -> list[Row]:
    """Breaks, the newest found first; one more than the page's limit if there are more. Cursor: `position`."""
    query = sa.select(settlement_breaks)
    if state is not None:
        query = query.where(settlement_breaks.c.state == state)
    if page.after is not None:
        query = query.where(settlement_breaks.c.position < page.after[0])
    query = query.order_by(settlement_breaks.c.position.desc()).limit(page.limit + 1)
    return [dict(row) for row in connection.execute(query).mappings()]


def count_breaks(connection: sa.Connection) -> dict[str, int]:
    """How many are in each state."""
    table = settlement_breaks
    query = sa.select(table.c.state, sa.func.count()).group_by(table.c.state)
    return {state: int(number) for state, number in connection.execute(query)}

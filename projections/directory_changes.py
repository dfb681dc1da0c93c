"""Directory changes: every version of every promotion's terms, who brought it and when. Rows are never changed."""

from __future__ import annotations

import sqlalchemy as sa

from domain.promotion import Promotion
from domain.stream import Stream
from projections.columns import UtcDateTime
from projections.model import GENERATION, Changes, ReadModel, Row
from projections.paging import Page, Span

metadata = sa.MetaData(schema=GENERATION)

directory_changes = sa.Table(
    "view_directory_changes",
    metadata,
    sa.Column("promotion_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("change", sa.String(20), nullable=False),  # created | changed | deactivated
    sa.Column("code", sa.String(255), nullable=False),
    sa.Column("percent_off", sa.Integer),
    sa.Column("amount_off_cents", sa.BigInteger),
    sa.Column("designation", sa.String(255)),
    sa.Column("starts_at", UtcDateTime),
    sa.Column("ends_at", UtcDateTime),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Index("ix_view_directory_changes_position", "position", unique=True),
    sa.Index("ix_view_directory_changes_code", "code", "position"),
)

_TERMS = ("code", "percent_off", "amount_off_cents", "designation", "starts_at", "ends_at")


class DirectoryChanges(ReadModel):
    """Keeps `view_directory_changes`."""

    name = "directory_changes"
    records = (directory_changes,)
    events = frozenset({Promotion.Created, Promotion.Changed, Promotion.Deactivated})

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        rows = changes.records[directory_changes]
        match event:
            case Promotion.Created() | Promotion.Changed():
                terms = {name: getattr(event, name) for name in _TERMS}
            case _:
                last = rows.find(event.originator_id, event.originator_version - 1)
                assert last is not None, "only what was created can be deactivated"
                terms = {name: last[name] for name in _TERMS}
        rows.put(
            {
                "promotion_id": event.originator_id,
                "version": event.originator_version,
                "position": position,
                "change": type(event).__name__.lower(),
                **terms,
                "actor": event.actor,
                "recorded_at": event.timestamp,
            }
        )


def find_directory_changes(
    connection: sa.Connection, span: Span, page: Page, *, promotion_code: str | None = None
) -> list[Row]:
    """Changes recorded in the span, newest first; one more than the page's limit if there are more.

    Cursor: `position`.
    """
    table = directory_changes
    query = sa.select(table).where(*span.of(table.c.recorded_at))
    if promotion_code is not None:
        query = query.where(sa.func.upper(table.c.code) == promotion_code.strip().upper())
    if page.after is not None:
        query = query.where(table.c.position < page.after[0])
    query = query.order_by(table.c.position.desc()).limit(page.limit + 1)
    return [dict(row) for row in connection.execute(query).mappings()]

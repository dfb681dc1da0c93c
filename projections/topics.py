"""Which version of the program brought which topic, so that an older one can say what it is that it cannot read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from projections.applying import insert_for
from projections.columns import UtcDateTime
from projections.registry import control

topics = sa.Table(
    "projection_topics",
    control,
    sa.Column("topic", sa.String(255), primary_key=True),
    sa.Column("code_version", sa.String(80), nullable=False),  # that was the first to know it
    sa.Column("known_since", UtcDateTime, nullable=False),
    sa.Column("met_position", sa.BigInteger),  # in the log; null while the projector has met none
)


class UnknownTopics(Exception):
    """The log holds events that this program cannot read. The text says which, and which version can."""


def register(connection: sa.Connection, known: Iterable[str], code_version: str) -> None:
    """Say which topics this version can write; the first to know a topic stays named."""
    rows = [{"topic": topic, "code_version": code_version, "known_since": datetime.now(UTC)} for topic in known]
    connection.execute(insert_for(connection, topics).on_conflict_do_nothing(), rows)


def note_met(connection: sa.Connection, met: Collection[str], position: int) -> None:
    """Topics that the log holds at or before a position."""
    changed = topics.update().where(topics.c.topic.in_(met), topics.c.met_position.is_(None))
    connection.execute(changed.values(met_position=position))


def note_unknown(connection: sa.Connection, topic: str, position: int) -> str:
    """Remember that the log holds a topic that this program does not know; who may have written it."""
    row = {"topic": topic, "code_version": "unknown", "known_since": datetime.now(UTC)}
    connection.execute(insert_for(connection, topics).values(row).on_conflict_do_nothing())
    note_met(connection, [topic], position)
    return str(connection.execute(sa.select(topics.c.code_version).where(topics.c.topic == topic)).scalar_one())


def topics_met(connection: sa.Connection) -> frozenset[str]:
    return frozenset(connection.execute(sa.select(topics.c.topic).where(topics.c.met_position.is_not(None))).scalars())


def require_known(connection: sa.Connection, known: Collection[str]) -> None:
    """Raise UnknownTopics where the log is known to hold what this program cannot read."""
    query = sa.select(topics).where(topics.c.met_position.is_not(None)).order_by(topics.c.topic)
    unknown = [row for row in connection.execute(query) if row.topic not in known]
    if unknown:
        raise UnknownTopics("\n".join(explain(row.topic, row.met_position, row.code_version) for row in unknown))


def explain(topic: str, position: int, code_version: str) -> str:
    version = "a version that never ran its migration here" if code_version == "unknown" else f"version {code_version}"
    return f"the log holds {topic!r} (position {position}), written by {version}; run that version or a later one"

"""Leases: one process at a time does a thing, on the database's clock. They save work; the positions are the fence."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from projections.applying import insert_for
from projections.registry import control

leases = sa.Table(
    "projection_leases",
    control,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("owner", sa.String(80), nullable=False),
    sa.Column("until_s", sa.Float, nullable=False),  # Unix seconds, by the database's clock
    sa.Column("seen_s", sa.Float, nullable=False),  # when the owner last said that it is there
)


@dataclass(frozen=True)
class Holder:
    """Who holds a lease, or held it last."""

    owner: str
    age_s: float  # since it was last heard of
    expired: bool


def take(connection: sa.Connection, name: str, owner: str, lease_s: float) -> bool:
    """Take the lease or keep it; False while somebody else holds it."""
    now_s = clock_s(connection)
    insert = insert_for(connection, leases).values(name=name, owner=owner, until_s=now_s + lease_s, seen_s=now_s)
    ours_to_take = sa.or_(leases.c.owner == owner, leases.c.until_s < now_s)
    statement = insert.on_conflict_do_update(
        index_elements=["name"],
        set_={"owner": owner, "until_s": now_s + lease_s, "seen_s": now_s},
        where=ours_to_take,
    )
    return connection.execute(statement.returning(leases.c.owner)).first() is not None


def seize(connection: sa.Connection, name: str, owner: str, lease_s: float) -> None:
    """Take the lease from whoever has it, for one that is known by other means to be alone."""
    now_s = clock_s(connection)
    held = {"owner": owner, "until_s": now_s + lease_s, "seen_s": now_s}
    insert = insert_for(connection, leases).values(name=name, **held)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=held))


def give_back(connection: sa.Connection, name: str, owner: str) -> None:
    """Let others have it at once."""
    connection.execute(leases.update().where(leases.c.name == name, leases.c.owner == owner).values(until_s=0.0))


def holder(connection: sa.Connection, name: str) -> Holder | None:
    row = connection.execute(sa.select(leases).where(leases.c.name == name)).first()
    if row is None:
        return None
    now_s = clock_s(connection)
    return Holder(row.owner, max(0.0, now_s - row.seen_s), row.until_s < now_s)


def clock_s(connection: sa.Connection) -> float:
    """The database's clock, in Unix seconds."""
    if connection.dialect.name == "postgresql":
        return float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return float(connection.execute(sa.text("SELECT (julianday('now') - 2440587.5) * 86400.0")).scalar_one())

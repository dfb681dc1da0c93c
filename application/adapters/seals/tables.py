"""The tables of the seals. Rows of `checkpoints` and `nodes` are only ever added."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa

from application.adapters.sql import UtcDateTime, migrating

SCHEMA = "seals"

metadata = sa.MetaData(schema=SCHEMA)

logs = sa.Table("sealed_logs", metadata, sa.Column("log_id", sa.Uuid, primary_key=True))  # one row

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("tree_size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False, unique=True),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("sealed_at", UtcDateTime, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),  # of the leaves since the checkpoint before
    sa.Column("positions", sa.LargeBinary, nullable=False),
)

nodes = sa.Table(
    "nodes",
    metadata,
    sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

sealers = sa.Table(
    "sealers",
    metadata,
    sa.Column("name", sa.String(20), primary_key=True),  # one row: "sealer"
    sa.Column("owner", sa.String(80), nullable=False),
    sa.Column("until_s", sa.Float, nullable=False),  # Unix seconds, by the database's clock
    sa.Column("seen_s", sa.Float, nullable=False),
    sa.Column("problem", sa.Text),  # why sealing stands still
)


def placed(engine: sa.Engine) -> sa.Engine:
    """The engine with the tables where they belong: SQLite has no schemas, there they have a file of their own."""
    schema = SCHEMA if engine.dialect.name == "postgresql" else None
    return engine.execution_options(schema_translate_map={SCHEMA: schema})


def create_tables(engine: sa.Engine) -> None:
    """Make what is missing; a new store draws the id of its log."""
    with migrating(placed(engine)) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
        metadata.create_all(connection)
        if connection.execute(sa.select(logs.c.log_id)).first() is None:
            connection.execute(logs.insert().values(log_id=uuid4()))
        if connection.execute(sa.select(sealers.c.name)).first() is None:
            connection.execute(sealers.insert().values(name="sealer", owner="", until_s=0.0, seen_s=0.0))

"""Whether a database keeps what it has committed when the machine stops."""

from __future__ import annotations

import sqlalchemy as sa

from application.adapters.sql import make_engine

# https://www.postgresql.org/docs/current/runtime-config-wal.html
_REQUIRED = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "remote_apply", "remote_write", "local"},
}


def durability_problems(url: str) -> list[str]:
    """What is turned off that must be on, each with what to change. SQLite's own settings are made by us: none."""
    engine = make_engine(url)
    try:
        if engine.dialect.name != "postgresql":
            return []
        with engine.connect() as connection:
            shown = {name: connection.execute(sa.text(f"SHOW {name}")).scalar_one() for name in _REQUIRED}
    finally:
        engine.dispose()
    return [
        f"ORDERS_DATABASE_URL: the server runs with {name} = {shown[name]}; set it to on"
        for name, allowed in _REQUIRED.items()
        if shown[name] not in allowed
    ]

"""What may come in the way of an erasure: a death between two steps, a reader, an old backup."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
from sqlalchemy import select

from application.adapters.directory import tables
from application.adapters.key_store import client_keys
from application.adapters.recorders import is_postgresql
from application.audit.erasing import EraseClient
from tests.application.audit.erasure_world import CARLA, NAME, OTHER, Stores

STEPS = ("erase", "destroy", "forget", "scrub directory", "scrub index")
BREAKS = [(step, when, "sqlite") for step in STEPS for when in ("before", "after")] + [
    ("erase", "after", "postgresql"),
    ("forget", "before", "postgresql"),
    ("scrub index", "before", "postgresql"),
]


def broken_off(stores: Stores, step: str, when: str) -> EraseClient:
    """The erasure in a process that dies just before or after a step."""
    parts: dict[str, Any] = {"keys": stores.keys, "directory": stores.erasable, "index": stores.index}
    name, _, part = step.partition(" ")
    part = part or {"erase": "directory", "destroy": "keys", "forget": "index"}[name]
    parts[part] = Dying(parts[part], name, when)
    return EraseClient(stores.events, parts["keys"], parts["directory"], parts["index"], stores.clock)


class Dying:
    """A part of which one step ends the process."""

    def __init__(self, part: Any, step: str, when: str) -> None:
        self._part, self._step, self._when = part, step, when

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name) if name != self._step else self._die

    async def _die(self, *arguments: Any) -> None:
        if self._when == "after":
            await getattr(self._part, self._step)(*arguments)
        raise RuntimeError("the process died")


def reading(stores: Stores, isolation: str) -> Any:
    """Somebody who has the old rows open for reading."""
    if is_postgresql(stores.url):
        connection: Any = psycopg.connect(stores.url)
        connection.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
    else:
        connection = sqlite3.connect(stores.url.removeprefix("sqlite:///"))
        connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM directory_clients").fetchone()
    return Closing(connection)


class Closing:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._connection.close()


async def wrapped_key(stores: Stores) -> bytes:
    query = select(client_keys.c.wrapped_key).where(client_keys.c.client_id == CARLA)
    wrapped = await stores.keys._sql.statement(lambda connection: connection.scalar(query))
    assert wrapped is not None
    return bytes(wrapped)


async def restore_backup(stores: Stores, wrapped: bytes) -> None:
    """Key and directory as they were before the erasure; the log as it is now."""
    back = client_keys.update().where(client_keys.c.client_id == CARLA).values(wrapped_key=wrapped, destroyed_at=None)
    await stores.keys._sql.transaction(lambda connection: connection.execute(back))
    named = tables.clients.update().where(tables.clients.c.id == CARLA).values(name=NAME, active=True)
    await stores.erasable._sql.transaction(lambda connection: connection.execute(named))
    assert await stores.erasable.held([CARLA, OTHER]) == [CARLA, OTHER]


async def roles_of(stores: Stores, user_id: int) -> tuple[str, list[dict[str, Any]]]:
    query = select(tables.users.c.first_name, tables.users.c.roles).where(tables.users.c.id == user_id)
    row = await stores.erasable._sql.statement(lambda connection: connection.execute(query).one())
    return row.first_name, row.roles

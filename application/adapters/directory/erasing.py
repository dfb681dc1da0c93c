"""Erasing a client in the directory: the records stay as empty shells, since history names their ids.

A tombstone per erased client and user answers later imports: what a file still says of them is left out, and the rest
of the file is taken. A user is erased with the last client whom it may act for; one with another role stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine, delete, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from application.adapters.directory import tables
from application.adapters.directory.import_values import DirectoryImport
from application.adapters.scrubbing import scrub
from application.adapters.sql import Busy, SqlThreads
from application.ports import DirectoryUnavailable, UserRecord
from application.ports.erasure import ErasedRecords

T = TypeVar("T")

IMPORT_LOCK = 0x6F72_6465_7273_0002  # of PostgreSQL's advisory locks: one writer of the directory at a time
SCRUB_TIMEOUT_S = 1800
REWRITTEN = (tables.clients, tables.users, tables.sessions, tables.payment_methods)
CLIENT, USER = "client", "user"


class SqlErasableDirectory:
    """The ErasableDirectory of ports/erasure.py in SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sql = SqlThreads(engine, "directory-erasing", threads=1)

    async def knows(self, client_id: int) -> bool:
        query = select(tables.clients.c.id).where(tables.clients.c.id == client_id)
        return await self._run(lambda connection: connection.scalar(query) is not None)

    async def erase(self, client_id: int, at: datetime) -> ErasedRecords:
        return await self._run(lambda connection: erase_client(connection, client_id, at))

    async def scrub(self) -> None:
        await self._sql.run_blocking(lambda: scrub(self._engine, REWRITTEN), timeout_s=SCRUB_TIMEOUT_S)

    async def held(self, client_ids: Sequence[int]) -> list[int]:
        return await self._run(lambda connection: _held(connection, set(client_ids)))

    async def close(self) -> None:
        await self._sql.close()

    async def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._sql.transaction(work)
        except (SQLAlchemyError, TimeoutError, Busy) as error:
            raise DirectoryUnavailable(type(error).__name__) from error


def erase_client(connection: Connection, client_id: int, at: datetime) -> ErasedRecords:
    """Empty the client's records, leave tombstones, and tell the caches. May come twice."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": IMPORT_LOCK})
    _bury(connection, CLIENT, [client_id], at)
    users = _erase_users(connection, client_id, at)
    clients, methods, sessions = tables.clients, tables.payment_methods, tables.sessions
    named = or_(clients.c.name != "", clients.c.email != "", clients.c.active)
    emptied = update(clients).where(clients.c.id == client_id, named)
    counts = ErasedRecords(
        clients=connection.execute(emptied.values(name="", email="", additional_emails=[], active=False)).rowcount,
        users=len(users),
        sessions=connection.execute(delete(sessions).where(sessions.c.user_id.in_(users))).rowcount,
        payment_methods=connection.execute(delete(methods).where(methods.c.client_id == client_id)).rowcount,
    )
    connection.execute(update(tables.state).values(generation=tables.state.c.generation + 1))
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {tables.CHANGED}"))
    return counts


def without_erased(connection: Connection, read: DirectoryImport) -> tuple[DirectoryImport, int]:
    """The file without what it still says of erased clients and users, and how many records that leaves out."""
    buried = _buried(connection)
    if not buried.clients:
        return read, 0
    users = None if read.users is None else [buried.allowed(user) for user in read.users]
    gone = set(buried.users if users is None else ())
    if users is not None:
        gone |= {user.id for user, kept in zip(read.users or (), users, strict=True) if kept is None}
    taken = replace(
        read,
        clients=_kept(read.clients, lambda client: client.id not in buried.clients),
        users=None if users is None else tuple(user for user in users if user is not None),
        sessions=_kept(read.sessions, lambda session: session.user_id not in gone),
        payment_methods=_kept(read.payment_methods, lambda method: method.client_id not in buried.clients),
    )
    return taken, _size(read) - _size(taken)


@dataclass(frozen=True)
class _Buried:
    """The tombstones."""

    clients: frozenset[int]
    users: frozenset[int]

    def allowed(self, user: UserRecord) -> UserRecord | None:
        """The user without the roles for erased clients; None where it would come back only as one of theirs."""
        roles = tuple(role for role in user.roles if role.client_id not in self.clients)
        if not roles and (user.roles or user.id in self.users):
            return None
        return replace(user, roles=roles) if roles != user.roles else user


def _buried(connection: Connection) -> _Buried:
    rows = connection.execute(select(tables.erased.c.kind, tables.erased.c.id)).all()
    found = {kind: frozenset(row.id for row in rows if row.kind == kind) for kind in (CLIENT, USER)}
    return _Buried(found[CLIENT], found[USER])


def _erase_users(connection: Connection, client_id: int, at: datetime) -> list[int]:
    """The users who acted for nobody but erased clients, now emptied; others lose the role."""
    users, clients = tables.users, _buried(connection).clients
    emptied: list[int] = []
    for row in connection.execute(select(users.c.id, users.c.roles)).all():
        if not any(role["client_id"] == client_id for role in row.roles):
            continue
        left = [role for role in row.roles if role["client_id"] not in clients]
        values: dict[str, object] = {"roles": left}
        if not left:
            values |= {"email": "", "first_name": "", "last_name": "", "active": False}
            emptied.append(row.id)
        connection.execute(update(users).where(users.c.id == row.id).values(values))
    _bury(connection, USER, emptied, at)
    return emptied


def _bury(connection: Connection, kind: str, ids: Sequence[int], at: datetime) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for record_id in ids:
        tombstone = insert(tables.erased).values(kind=kind, id=record_id, erased_at=at)
        connection.execute(tombstone.on_conflict_do_nothing())


def _held(connection: Connection, client_ids: set[int]) -> list[int]:
    clients, users = tables.clients, tables.users
    named = or_(clients.c.name != "", clients.c.email != "", clients.c.active)
    held = set(connection.scalars(select(clients.c.id).where(clients.c.id.in_(client_ids), named)))
    roles = connection.scalars(select(users.c.roles)).all() if client_ids else ()
    return sorted(held | {role["client_id"] for held_roles in roles for role in held_roles} & client_ids)


def _kept(records: tuple[T, ...] | None, keep: Callable[[T], bool]) -> tuple[T, ...] | None:
    return None if records is None else tuple(record for record in records if keep(record))


def _size(read: DirectoryImport) -> int:
    return sum(len(section or ()) for section in (read.clients, read.users, read.sessions, read.payment_methods))

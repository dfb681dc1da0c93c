"""Writing a directory import: each section of the file against its table, all in one transaction of the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam, case, delete, insert, select, text, update

from application.adapters.directory import tables
from application.adapters.directory.erasing import IMPORT_LOCK, without_erased
from application.adapters.directory.import_checks import check_references, references
from application.adapters.directory.import_values import DirectoryImport
from application.adapters.directory.rows import Row, rows_of
from application.adapters.directory.tables import catalog_version

STEP_TIMEOUT_S = 60  # for one section of a large file: its statements, and our work between two of them
REVOKED_SESSIONS_KEPT = timedelta(days=30)

# In the order of their references: the section, its table, and what makes one of its records inactive.
SECTIONS: tuple[tuple[str, Table, Row], ...] = (
    ("api_services", tables.api_services, {"active": False}),
    ("routes", tables.routes, {"active": False}),
    ("applications", tables.applications, {"active": False}),
    ("clients", tables.clients, {"active": False}),
    ("users", tables.users, {"active": False}),
    ("sessions", tables.sessions, {"revoked": True}),
    ("payment_methods", tables.payment_methods, {"active": False, "is_default": False}),
    ("services", tables.services, {"active": False}),
    ("promotions", tables.promotions, {"active": False}),
)

Settle = Callable[[Row, Row | None], Row]


@dataclass(frozen=True)
class SectionReport:
    """What an import did to the records of one section."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deactivated: int = 0


@dataclass(frozen=True)
class ImportReport:
    """By section, those that the file has; the routes of `api_services` count on their own as `routes`."""

    sections: dict[str, SectionReport]
    catalog_version: str
    withheld: int = 0  # records of erased clients that the file still has


def apply(
    connection: Connection,
    read: DirectoryImport,
    promotion_versions: Mapping[UUID, int],
    token_hash: Callable[[str], str],
) -> ImportReport:
    """Write the import. Raises InvalidImport where a reference leads nowhere; the caller rolls back."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": IMPORT_LOCK})
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = '{STEP_TIMEOUT_S}s'"))
    read, withheld = without_erased(connection, read)
    check_stored_references(connection, read)
    settles: dict[str, Settle] = {
        "sessions": _with_latest_use,
        "promotions": lambda row, stored: _with_version(row, stored, promotion_versions),
    }
    wanted = rows_of(read, token_hash)
    reports = {
        name: _write_section(connection, table, wanted[name], retired, settles.get(name, lambda row, _: row))
        for name, table, retired in SECTIONS
        if name in wanted
    }
    _forget_old_sessions(connection, read)
    if read.services is not None:
        connection.execute(update(tables.state).values(catalog_version=catalog_version(read.services)))
    connection.execute(update(tables.state).values(generation=tables.state.c.generation + 1))
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {tables.CHANGED}"))
    return ImportReport(reports, connection.scalars(select(tables.state.c.catalog_version)).one(), withheld)


def check(connection: Connection, read: DirectoryImport) -> None:
    """Raise InvalidImport where `apply` would now."""
    check_stored_references(connection, without_erased(connection, read)[0])


def check_stored_references(connection: Connection, read: DirectoryImport) -> None:
    """Raise InvalidImport where the file refers to a section that it does not have, and no active record is there."""
    absent = {reference.section for reference in references(read) if getattr(read, reference.section) is None}
    for section in sorted(absent):
        table = tables.users if section == "users" else tables.clients
        check_references(read, section, set(connection.scalars(select(table.c.id).where(table.c.active))))


def _write_section(
    connection: Connection, table: Table, wanted: Iterable[Row], retired: Row, settle: Settle
) -> SectionReport:
    """Make the table hold the wanted rows, and the rest retired. `settle` finishes a row by the stored one."""
    keys = [column.name for column in table.primary_key]
    stored = {tuple(row[key] for key in keys): dict(row) for row in connection.execute(select(table)).mappings().all()}
    added, changed, unchanged = [], [], 0
    for row in wanted:
        old = stored.pop(tuple(row[key] for key in keys), None)
        settled = settle(row, old)
        if old is None:
            added.append(settled)
        elif settled != old:
            changed.append(settled)
        else:
            unchanged += 1
    leaving = (row for row in stored.values() if any(row[name] != value for name, value in retired.items()))
    deactivated = [settle(row | retired, row) for row in leaving]
    if added:
        connection.execute(insert(table), added)
    _update(connection, table, keys, changed + deactivated)
    return SectionReport(len(added), len(changed), unchanged, len(deactivated))


def _update(connection: Connection, table: Table, keys: list[str], rows: list[Row]) -> None:
    if not rows:
        return
    names = [column.name for column in table.c if column.name not in keys]
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    if table is tables.sessions:  # a request may move it forward after we read it
        new, old = bindparam("new_last_used_at", type_=table.c.last_used_at.type), table.c.last_used_at
        values["last_used_at"] = case((old < new, new), else_=old)
    statement = update(table).values(values)
    for key in keys:
        statement = statement.where(table.c[key] == bindparam(f"new_{key}"))
    connection.execute(statement, [{f"new_{name}": value for name, value in row.items()} for row in rows])


def _with_latest_use(row: Row, stored: Row | None) -> Row:
    return row if stored is None else row | {"last_used_at": max(row["last_used_at"], stored["last_used_at"])}


def _with_version(row: Row, stored: Row | None, versions: Mapping[UUID, int]) -> Row:
    """The version of the promotion's stream; where none is given, one more than before for every change."""
    before = 0 if stored is None else stored["version"]
    same = stored is not None and row | {"version": before} == stored
    return row | {"version": versions.get(row["promotion_id"], before if same else before + 1)}


def _forget_old_sessions(connection: Connection, read: DirectoryImport) -> None:
    """Revoked sessions are as good as unknown; without this the table would grow for ever."""
    if read.sessions is not None:
        sessions = tables.sessions.c
        old = sessions.revoked & (sessions.last_used_at < read.read_at - REVOKED_SESSIONS_KEPT)
        connection.execute(delete(tables.sessions).where(old))

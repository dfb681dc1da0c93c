"""Reading a directory file: parsed, checked on its own, turned into values that can be applied. Touches no database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import UnsetType

from application.adapters.directory import import_entries as entries
from application.adapters.directory.import_checks import check_file
from application.adapters.directory.import_json import decode
from application.adapters.directory.import_values import DirectoryImport

Entry = TypeVar("Entry")
Value = TypeVar("Value")


def read_import(raw: bytes, now: datetime) -> DirectoryImport:
    """The file as values, with times relative to `now` (aware). Raises InvalidImport with the first fault."""
    file = decode(raw)
    read = DirectoryImport(
        read_at=now,
        api_services=_section(file.api_services, "api_services", lambda entry, _: entries.api_service(entry)),
        applications=_section(file.applications, "applications", lambda entry, _: entries.application(entry)),
        users=_section(file.users, "users", entries.user),
        clients=_section(file.clients, "clients", lambda entry, _: entries.client(entry)),
        sessions=_section(file.sessions, "sessions", lambda entry, path: entries.session(entry, path, now)),
        payment_methods=_section(
            file.payment_methods, "payment_methods", lambda entry, _: entries.payment_method(entry)
        ),
        services=_section(file.services, "services", lambda entry, _: entries.service(entry)),
        promotions=_section(file.promotions, "promotions", lambda entry, path: entries.promotion(entry, path, now)),
    )
    check_file(read)
    return read


def _section(
    listed: Sequence[Entry] | UnsetType, name: str, value: Callable[[Entry, str], Value]
) -> tuple[Value, ...] | None:
    if isinstance(listed, UnsetType):
        return None
    return tuple(value(entry, f"{name}[{index}]") for index, entry in enumerate(listed))

"""The tables of the directory. A record that a file no longer lists stays, inactive: history still names it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    insert,
    select,
)

from application.adapters.scrubbing import keep_out_of_statistics, without_statistics
from application.adapters.sql import UtcDateTime, migrating
from application.ports import ServiceRecord

metadata = MetaData()


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _json(name: str) -> Column[object]:
    return Column(name, JSON, nullable=False)


def _id(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


state = Table(
    "directory_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row: 1
    _text("catalog_version"),
    Column("generation", BigInteger, nullable=False),  # grows with every import
)

CHANGED = "orders_directory_changed"  # PostgreSQL's channel: an import was committed

api_services = Table(
    "directory_api_services",
    metadata,
    Column("slug", Text, primary_key=True),
    _flag("deployed"),
    _flag("active"),
)

routes = Table(
    "directory_routes",
    metadata,
    Column("method", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("service_slug", Text, ForeignKey(api_services.c.slug), nullable=False),
    _text("slug"),
    _flag("deployed"),
    _flag("sensitive_params"),
    _flag("active"),
)

applications = Table(
    "directory_applications",
    metadata,
    Column("slug", Text, primary_key=True),
    _text("name"),
    Column("token_hash", Text, nullable=False, index=True),  # unique among the active ones
    _flag("is_example"),  # its token stands in the documentation
    _json("roles"),
    _json("permissions"),
    _flag("active"),
)

users = Table(
    "directory_users",
    metadata,
    _id("id"),
    _text("email"),
    _text("first_name"),
    _text("last_name"),
    Column("designation", Text),
    _json("roles"),  # [{"role": "client", "client_id": 11}]
    _flag("active"),
)

clients = Table(
    "directory_clients",
    metadata,
    _id("id"),
    _text("name"),
    _text("email"),
    _json("additional_emails"),
    _flag("active"),
)

sessions = Table(
    "directory_sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey(users.c.id), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
    _flag("remember_me"),
    _flag("is_example"),
    _flag("revoked"),
)

payment_methods = Table(
    "directory_payment_methods",
    metadata,
    _id("id"),
    Column("client_id", BigInteger, ForeignKey(clients.c.id), nullable=False, index=True),
    _text("customer_profile_id"),
    _text("payment_profile_id"),
    _text("brand"),
    _text("last4"),
    Column("exp_month", Integer, nullable=False),
    Column("exp_year", Integer, nullable=False),
    _flag("active"),
    _flag("is_default"),  # at most one per client
)

services = Table(
    "directory_services",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("group_id", BigInteger),
    _text("name"),
    _text("kind"),
    _flag("access_required"),
    _flag("previous_order_required"),
    _json("prices_cents"),  # {"15": 18500}: quantity → price of that quantity
    _flag("active"),
)

promotions = Table(
    "directory_promotions",
    metadata,
    Column("promotion_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    _text("code"),
    Column("code_key", Text, nullable=False, index=True),  # see promotion_code_key; unique among the active ones
    Column("percent_off", Integer),
    Column("amount_off_cents", BigInteger),
    Column("designation", Text),
    _flag("active"),
    Column("starts_at", UtcDateTime),
    Column("ends_at", UtcDateTime),
)


# Clients and users whose personal data was erased. What a later file says of them is not taken.
erased = Table(
    "directory_erased",
    metadata,
    Column("kind", Text, primary_key=True),  # client | user
    _id("id"),
    Column("erased_at", UtcDateTime, nullable=False),
)


without_statistics(users, "email", "first_name", "last_name")
without_statistics(clients, "name", "email", "additional_emails")


def create_tables(engine: Engine) -> None:
    """Create what is missing; safe to run again, and by several processes at once."""
    with migrating(engine) as connection:
        metadata.create_all(connection)
        keep_out_of_statistics(connection, metadata.sorted_tables)
        if connection.scalar(select(state.c.id)) is None:
            connection.execute(insert(state).values(id=1, catalog_version=catalog_version([]), generation=0))


def promotion_code_key(code: str) -> str:
    """What a typed code is looked up by: no case, no surrounding spaces."""
    return code.strip().upper()


def catalog_version(active: Iterable[ServiceRecord]) -> str:
    """A short digest of all active services: the first 16 hex digits of SHA-256 of their canonical JSON."""
    catalog = [asdict(service) for service in sorted(active, key=lambda service: service.slug)]
    text = json.dumps(catalog, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

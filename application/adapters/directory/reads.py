"""SqlDirectory: the reads that every request makes, each in one statement, and the import in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, Select, and_, exists, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from application.adapters.directory import import_write, rows
from application.adapters.directory.import_values import DirectoryImport
from application.adapters.directory.import_write import ImportReport
from application.adapters.directory.tables import (
    api_services,
    applications,
    clients,
    payment_methods,
    promotion_code_key,
    promotions,
    routes,
    services,
    sessions,
    state,
    users,
)
from application.adapters.sql import Busy, SqlThreads
from application.derived_ids import DerivedIds
from application.ports import (
    ApplicationRecord,
    DirectoryUnavailable,
    OrderInputs,
    PromotionRecord,
    RouteRecord,
    SessionRecord,
)

T = TypeVar("T")

IMPORT_TIMEOUT_S = 600


class SqlDirectory:
    """The Directory of ports.py in SQLite or PostgreSQL. Every method raises DirectoryUnavailable if it cannot."""

    def __init__(self, engine: Engine, derived_ids: DerivedIds) -> None:
        self._sql = SqlThreads(engine, "directory")
        self._derived_ids = derived_ids

    async def route(self, method: str, path: str) -> RouteRecord | None:
        row = await self._first(
            select(
                and_(api_services.c.deployed, api_services.c.active).label("service_deployed"),
                and_(routes.c.deployed, routes.c.active).label("route_deployed"),
                routes.c.sensitive_params,
            )
            .join_from(routes, api_services)
            .where(routes.c.method == method, routes.c.path == path)
        )
        return row and RouteRecord(bool(row.service_deployed), bool(row.route_deployed), row.sensitive_params)

    async def session(self, token_hash: str) -> SessionRecord | None:
        row = await self._first(
            select(sessions, users)
            .join_from(sessions, users)
            .where(sessions.c.token_hash == token_hash, ~sessions.c.revoked, users.c.active)
        )
        return row and rows.session_record(row._mapping)

    async def application_by_token(self, token_hash: str) -> ApplicationRecord | None:
        row = await self._first(
            select(applications).where(applications.c.token_hash == token_hash, applications.c.active)
        )
        return row and rows.application_record(row._mapping)

    async def application(self, slug: str) -> ApplicationRecord | None:
        row = await self._first(select(applications).where(applications.c.slug == slug, applications.c.active))
        return row and rows.application_record(row._mapping)

    async def order_inputs(
        self, *, client_id: int, payment_method_id: int | None, slugs: Sequence[str], promotion_code: str | None
    ) -> OrderInputs:
        """In one statement, so all of it is of one moment. Another client's payment method is not found."""
        query = _order_inputs_query(client_id, payment_method_id, slugs, promotion_code)
        found = await self._call(self._sql.statement(lambda connection: connection.execute(query).all()))
        row = found[0]._mapping  # the parts that are not there are null
        return OrderInputs(
            client=rows.client_record(row) if row[clients.c.id] is not None else None,
            payment_method=rows.payment_method_record(row) if row[payment_methods.c.id] is not None else None,
            services={
                line._mapping[services.c.slug]: rows.service_record(line._mapping)
                for line in found
                if line._mapping[services.c.slug] is not None
            },
            catalog_version=row[state.c.catalog_version],
            promotion=rows.promotion_record(row) if row[promotions.c.promotion_id] is not None else None,
        )

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        forward = (sessions.c.token_hash == token_hash) & (sessions.c.last_used_at < at)
        statement = update(sessions).where(forward).values(last_used_at=at)
        await self._call(self._sql.statement(lambda connection: connection.execute(statement).rowcount))

    async def promotions(self) -> list[PromotionRecord]:
        """All of them, active or not."""
        query = select(promotions).order_by(promotions.c.promotion_id)
        found = await self._call(self._sql.statement(lambda connection: connection.execute(query).all()))
        return [rows.promotion_record(row._mapping) for row in found]

    async def has_example_tokens(self) -> bool:
        """Whether a token that stands in the documentation would be accepted."""
        query = select(
            or_(
                exists().where(applications.c.is_example, applications.c.active),
                exists().where(sessions.c.is_example, ~sessions.c.revoked),
            )
        )
        return bool(await self._call(self._sql.statement(lambda connection: connection.scalar(query))))

    async def check_import(self, import_: DirectoryImport) -> None:
        """Raise InvalidImport where `apply_import` would now; a caller that writes elsewhere too asks first."""
        await self._call(
            self._sql.statement(lambda connection: import_write.check_stored_references(connection, import_))
        )

    async def apply_import(
        self, import_: DirectoryImport, promotion_versions: Mapping[UUID, int] | None = None
    ) -> ImportReport:
        """Write the import in one transaction; the same one again changes nothing. Raises InvalidImport.

        promotion_versions: of the event streams of promotions; one that is not named counts its changes itself.
        """

        def write(connection: Connection) -> ImportReport:
            return import_write.apply(connection, import_, promotion_versions or {}, self._derived_ids.token_hash)

        return await self._call(self._sql.transaction(write, timeout_s=IMPORT_TIMEOUT_S))

    async def close(self) -> None:
        """Close the threads and the engine."""
        await self._sql.close()

    async def _first(self, query: Select[tuple[object, ...]]) -> Row[tuple[object, ...]] | None:
        return await self._call(self._sql.statement(lambda connection: connection.execute(query).first()))

    @staticmethod
    async def _call(call: Awaitable[T]) -> T:
        try:
            return await call
        except (SQLAlchemyError, TimeoutError, Busy) as error:
            raise DirectoryUnavailable(type(error).__name__) from error


def _order_inputs_query(
    client_id: int, payment_method_id: int | None, slugs: Sequence[str], promotion_code: str | None
) -> Select[tuple[object, ...]]:
    """One row per service found, at least one; each with the client, the payment method and the promotion."""
    chosen = payment_methods.c.is_default if payment_method_id is None else payment_methods.c.id == payment_method_id
    named = (
        select(promotions.c.promotion_id)
        .where(promotions.c.code_key == promotion_code_key(promotion_code or ""))
        .order_by(promotions.c.active.desc(), promotions.c.promotion_id)  # an earlier promotion may have had the code
        .limit(1)
        .scalar_subquery()
    )
    return select(state.c.catalog_version, clients, payment_methods, services, promotions).select_from(
        state.outerjoin(clients, and_(clients.c.id == client_id, clients.c.active))
        .outerjoin(payment_methods, and_(payment_methods.c.client_id == client_id, chosen))
        .outerjoin(promotions, promotions.c.promotion_id == named)
        .outerjoin(services, and_(services.c.slug.in_(slugs), services.c.active))
    )

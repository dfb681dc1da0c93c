"""SqlDirectory: the reads that requests make, each in one statement, and the import in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, exists, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from application.adapters.directory import import_write, rows
from application.adapters.directory.import_values import DirectoryImport
from application.adapters.directory.import_write import ImportReport
from application.adapters.directory.request_reads import (
    APPLICATION,
    APPLICATION_BY_TOKEN,
    CATALOG,
    CUSTOMER,
    PROMOTION,
    ROUTE,
    SESSION,
    TOUCH,
    Catalog,
    Customer,
    application_record,
    customer_of,
    order_inputs,
    promotion_record,
    service_record,
    session_record,
)
from application.adapters.directory.tables import applications, promotion_code_key, promotions, sessions
from application.adapters.row_reader import PostgresRows, row_reader
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
        self._rows = row_reader(engine, DirectoryUnavailable)
        self._derived_ids = derived_ids

    async def route(self, method: str, path: str) -> RouteRecord | None:
        found = await self._rows.rows(ROUTE, method, path)
        return RouteRecord(*map(bool, found[0])) if found else None

    async def session(self, token_hash: str) -> SessionRecord | None:
        found = await self._rows.rows(SESSION, token_hash)
        return session_record(token_hash, found[0]) if found else None

    async def application_by_token(self, token_hash: str) -> ApplicationRecord | None:
        found = await self._rows.rows(APPLICATION_BY_TOKEN, token_hash)
        return application_record(found[0]) if found else None

    async def application(self, slug: str) -> ApplicationRecord | None:
        found = await self._rows.rows(APPLICATION, slug)
        return application_record(found[0]) if found else None

    async def catalog(self) -> Catalog:
        """All active services, and the version that they are of: both of one moment."""
        found = await self._rows.rows(CATALOG)
        services = (service_record(row[1:]) for row in found if row[1] is not None)
        return Catalog(found[0][0], {service.slug: service for service in services})

    async def customer(self, client_id: int, payment_method_id: int | None) -> Customer:
        """Client and payment method, in one statement. Another client's payment method is not found."""
        (row,) = await self._rows.rows(CUSTOMER, client_id, payment_method_id)
        return customer_of(row)

    async def promotion(self, code: str) -> PromotionRecord | None:
        """The promotion that has the code, in whatever case."""
        found = await self._rows.rows(PROMOTION, promotion_code_key(code))
        return promotion_record(found[0]) if found else None

    async def order_inputs(
        self, *, client_id: int, payment_method_id: int | None, slugs: Sequence[str], promotion_code: str | None
    ) -> OrderInputs:
        catalog, customer = await self.catalog(), await self.customer(client_id, payment_method_id)
        promotion = None if promotion_code is None else await self.promotion(promotion_code)
        return order_inputs(catalog, slugs, customer, promotion)

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        if isinstance(self._rows, PostgresRows):
            await self._rows.run(TOUCH, token_hash, at)
            return
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
        await self._call(self._sql.statement(lambda connection: import_write.check(connection, import_)))

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
        await self._rows.close()
        await self._sql.close()

    @staticmethod
    async def _call(call: Awaitable[T]) -> T:
        try:
            return await call
        except (SQLAlchemyError, TimeoutError, Busy) as error:
            raise DirectoryUnavailable(type(error).__name__) from error

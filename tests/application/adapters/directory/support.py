"""A directory in a database that holds the example, and short ways to ask it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from application.adapters.directory import SectionReport, SqlDirectory, create_tables, read_import
from application.adapters.sql import make_engine
from application.derived_ids import DerivedIds
from application.ports import OrderInputs
from tests.application.adapters.directory.example import NOW, example, file_of
from tests.helpers import run

T = TypeVar("T")
Use = Callable[[SqlDirectory], Awaitable[T]]

IDS = DerivedIds(b"a secret key of tests")
CARLA = IDS.token_hash("session-carla-token")
EMIL = IDS.token_hash("session-emil-token")
SHOP = IDS.token_hash("app-shop-token")
AGENT25 = UUID("5d0c3a3e-8f4e-4d0c-9a60-8d3f2b8f1c11")
UNCHANGED_ONE = SectionReport(unchanged=1)
UNCHANGED_TWO = SectionReport(unchanged=2)


def with_directory(database_url: str, use: Use[T]) -> T:
    """Run `use` with a directory that holds the example."""

    async def connected() -> T:
        engine = make_engine(database_url)
        create_tables(engine)
        directory = SqlDirectory(engine, IDS)
        try:
            await take(directory, example())
            return await use(directory)
        finally:
            await directory.close()

    return run(connected())


async def take(directory: SqlDirectory, content: dict[str, Any], at: datetime = NOW) -> dict[str, SectionReport]:
    return (await directory.apply_import(read_import(file_of(content), at))).sections


async def order_inputs(
    directory: SqlDirectory, client: int = 11, card: int | None = None, code: str | None = None, slugs: str = "photos"
) -> OrderInputs:
    return await directory.order_inputs(
        client_id=client, payment_method_id=card, slugs=slugs.split(), promotion_code=code
    )

"""What the directory answers, in both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import inspect, text

from application.adapters.directory import SectionReport, SqlDirectory, create_tables, read_import
from application.adapters.sql import make_engine
from application.ports import (
    ApplicationRecord,
    ClientRecord,
    DirectoryUnavailable,
    PaymentMethodRecord,
    Role,
    RouteRecord,
    UserRecord,
)
from tests.application.adapters.directory.example import NOW, example, file_of
from tests.application.adapters.directory.support import (
    CARLA,
    EMIL,
    IDS,
    SHOP,
    UNCHANGED_TWO,
    order_inputs,
    take,
    with_directory,
)
from tests.helpers import run


def test_an_imported_record_is_read_back_whole(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        session = await directory.session(CARLA)
        assert session is not None
        assert session.user == UserRecord(1, "carla@example.com", "Carla", "Client", "agent", (Role("client", 11),))
        assert (session.created_at, session.last_used_at) == (NOW - timedelta(days=2), NOW - timedelta(hours=1))
        assert session.created_at.utcoffset() == timedelta(0)
        assert not session.remember_me
        shop = ApplicationRecord("shop", "Shop", ("client", "employee"), ("orders.pay_and_submit",))
        assert await directory.application("shop") == shop
        assert await directory.application_by_token(SHOP) == shop
        assert await directory.route("POST", "/api/v1/pay") == RouteRecord(True, True, False)

    with_directory(database_url, use)


def test_what_is_not_there_is_none(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        assert await directory.session("0" * 64) is None
        assert await directory.session("session-carla-token") is None
        assert await directory.application_by_token(CARLA) is None
        assert await directory.application("nobody") is None
        assert await directory.route("GET", "/api/v1/pay") is None
        assert await directory.route("POST", "/api/v1/pay/") is None

    with_directory(database_url, use)


def test_order_inputs_hold_all_that_an_order_needs(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        found = await order_inputs(directory, code=" spring10 ", slugs="photos staging nonsense")
        assert found.client == ClientRecord(11, "Carla Homes", "orders@carla.example.com", ("b@carla.example.com",))
        assert found.payment_method == PaymentMethodRecord(
            101, 11, "900000001", "800000001", "Visa", "1111", 12, 2031, True, True
        )
        assert sorted(found.services) == ["photos", "staging"]
        assert found.services["photos"].prices_cents == {10: 15000, 15: 18500}
        assert found.services["staging"].group_id is None
        assert len(found.catalog_version) == 16
        assert found.promotion is not None
        assert (found.promotion.code, found.promotion.version) == ("Spring10", 1)
        assert found.promotion.ends_at == NOW + timedelta(minutes=30)

    with_directory(database_url, use)


def test_order_inputs_leave_out_what_is_not_there(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        found = await order_inputs(directory, client=99, code="NOPE", slugs="")
        assert (found.client, found.payment_method, found.services, found.promotion) == (None, None, {}, None)
        assert (await order_inputs(directory)).promotion is None

    with_directory(database_url, use)


def test_a_payment_method_is_the_clients_own_and_may_be_inactive(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        inactive = (await order_inputs(directory, card=102)).payment_method
        assert inactive is not None
        assert not inactive.active
        assert (await order_inputs(directory, client=12, card=101)).payment_method is None
        assert (await order_inputs(directory, client=12)).payment_method is None

    with_directory(database_url, use)


def test_a_session_of_an_inactive_user_is_unknown(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        await take(directory, {"users": example()["users"][1:]})
        assert await directory.session(CARLA) is None
        assert await directory.session(EMIL) is not None

    with_directory(database_url, use)


def test_the_last_use_of_a_session_moves_forward_only(database_url: str) -> None:
    async def last_use(directory: SqlDirectory) -> datetime:
        session = await directory.session(CARLA)
        assert session is not None
        return session.last_used_at

    async def use(directory: SqlDirectory) -> None:
        later = NOW + timedelta(minutes=5, microseconds=1)
        await directory.touch_session(CARLA, later)
        await directory.touch_session(CARLA, NOW)
        await directory.touch_session("0" * 64, NOW)
        assert await last_use(directory) == later
        assert (await take(directory, example()))["sessions"] == UNCHANGED_TWO
        assert await last_use(directory) == later
        content = example()
        content["sessions"][0] |= {"last_used_at": "now+1h", "remember_me": True}
        assert (await take(directory, content))["sessions"] == SectionReport(changed=1, unchanged=1)
        assert await last_use(directory) == NOW + timedelta(hours=1)

    with_directory(database_url, use)


def test_tokens_are_stored_as_keyed_hashes_only(sqlite_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        def everything(connection: Any) -> str:
            names = [name for name in inspect(connection).get_table_names() if name.startswith("directory_")]
            return str([connection.execute(text(f"SELECT * FROM {name}")).all() for name in names])

        stored = await directory._sql.statement(everything)
        assert "-token'" not in stored
        assert CARLA in stored

    with_directory(sqlite_url, use)


def test_tables_can_be_created_by_many_at_once_and_again(database_url: str) -> None:
    def create(_: int) -> None:
        engine = make_engine(database_url)
        create_tables(engine)
        engine.dispose()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(create, range(6)))
    create(6)


def test_a_directory_that_cannot_be_read_says_so(database_url: str) -> None:
    async def use() -> None:
        directory = SqlDirectory(make_engine(database_url), IDS)  # without tables
        for call in (
            directory.route("GET", "/"),
            directory.session(CARLA),
            order_inputs(directory),
            directory.touch_session(CARLA, NOW),
            directory.apply_import(read_import(file_of(example()), NOW)),
        ):
            with pytest.raises(DirectoryUnavailable):
                await call
        await directory.close()

    run(use())

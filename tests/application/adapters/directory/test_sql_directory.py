"""The directory in both databases: what an import does to the reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import inspect, text

from application.adapters.directory import InvalidImport, SectionReport, SqlDirectory, create_tables, read_import
from application.adapters.sql import make_engine
from application.derived_ids import DerivedIds
from application.ports import (
    ApplicationRecord,
    ClientRecord,
    DirectoryUnavailable,
    OrderInputs,
    PaymentMethodRecord,
    Role,
    RouteRecord,
    UserRecord,
)
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


def test_the_same_import_again_changes_nothing(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        before = await order_inputs(directory)
        assert await take(directory, example()) == {
            "api_services": UNCHANGED_ONE,
            "routes": UNCHANGED_ONE,
            "applications": UNCHANGED_ONE,
            "clients": UNCHANGED_TWO,
            "users": UNCHANGED_TWO,
            "sessions": UNCHANGED_TWO,
            "payment_methods": UNCHANGED_TWO,
            "services": UNCHANGED_TWO,
            "promotions": UNCHANGED_TWO,
        }
        assert await order_inputs(directory) == before

    with_directory(database_url, use)


def test_an_absent_section_stays_as_it_is(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        assert await take(directory, {}) == {}
        assert await directory.session(CARLA) is not None
        assert (await order_inputs(directory)).payment_method is not None

    with_directory(database_url, use)


def test_in_a_present_section_missing_records_are_deactivated_and_can_come_back(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        empty = {name: [] for name in example()}
        gone = await take(directory, empty)
        assert gone["sessions"] == SectionReport(deactivated=2)
        assert gone["payment_methods"] == SectionReport(deactivated=1, unchanged=0)  # the other was inactive already
        assert await directory.session(CARLA) is None
        assert await directory.application_by_token(SHOP) is None
        assert await directory.application("shop") is None
        assert await directory.route("POST", "/api/v1/pay") == RouteRecord(False, False, False)
        found = await order_inputs(directory, card=101, code="SPRING10")
        assert (found.client, found.services) == (None, {})
        assert found.payment_method is not None
        assert not found.payment_method.active
        assert found.promotion is not None
        assert not found.promotion.active

        back = await take(directory, example())
        assert back["sessions"] == SectionReport(changed=2)
        assert await directory.session(CARLA) is not None
        assert await directory.route("POST", "/api/v1/pay") == RouteRecord(True, True, False)

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


def test_a_reference_may_lead_to_the_database_but_only_to_active_records(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        sessions = example()["sessions"]
        assert (await take(directory, {"sessions": sessions}))["sessions"] == UNCHANGED_TWO
        await take(directory, {"users": example()["users"][:1]})
        with pytest.raises(InvalidImport, match=r"sessions\[1\].user_id: is not one of the users"):
            await take(directory, {"sessions": sessions})
        with pytest.raises(InvalidImport, match=r"sessions\[1\].user_id: is not one of the users"):
            await directory.check_import(read_import(file_of({"sessions": sessions}), NOW))

    with_directory(database_url, use)


def test_a_refused_import_writes_nothing(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        methods = [example()["payment_methods"][0] | {"client_id": 99}]
        with pytest.raises(InvalidImport):
            await take(directory, {"payment_methods": methods, "services": []})
        assert (await order_inputs(directory)).services != {}

    with_directory(database_url, use)


def test_the_catalog_version_follows_the_active_services(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        first = (await order_inputs(directory)).catalog_version
        cheaper = example()["services"]
        cheaper[0]["prices_cents"]["10"] = 14999
        await take(directory, {"services": cheaper})
        assert (await order_inputs(directory)).catalog_version != first
        await take(directory, {"services": list(reversed(example()["services"]))})
        assert (await order_inputs(directory)).catalog_version == first

    with_directory(database_url, use)


def test_a_promotion_carries_the_version_of_its_stream_or_counts_its_changes(database_url: str) -> None:
    async def versions(directory: SqlDirectory) -> dict[str, int]:
        return {promotion.code: promotion.version for promotion in await directory.promotions()}

    async def use(directory: SqlDirectory) -> None:
        assert await versions(directory) == {"Spring10": 1, "AGENT25": 1}
        content = example()
        content["promotions"][0]["percent_off"] = 12
        await take(directory, content)
        assert await versions(directory) == {"Spring10": 2, "AGENT25": 1}
        await directory.apply_import(read_import(file_of(content), NOW), {AGENT25: 7})
        assert await versions(directory) == {"Spring10": 2, "AGENT25": 7}
        await take(directory, {"promotions": content["promotions"][:1]})
        assert await versions(directory) == {"Spring10": 2, "AGENT25": 8}
        assert [promotion.active for promotion in await directory.promotions() if promotion.code == "AGENT25"] == [
            False
        ]

    with_directory(database_url, use)


def test_a_code_can_be_given_to_a_new_promotion(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        fresh = UUID("11111111-2222-4333-8444-555555555555")
        promotion = example()["promotions"][1] | {"id": str(fresh), "code": "Agent25"}
        await take(directory, {"promotions": [promotion]})
        found = (await order_inputs(directory, code="agent25")).promotion
        assert found is not None
        assert (found.promotion_id, found.active) == (fresh, True)

    with_directory(database_url, use)


def test_sessions_revoked_long_ago_are_forgotten(sqlite_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        count = text("SELECT count(*) FROM directory_sessions")
        await take(directory, {"sessions": []}, NOW + timedelta(days=29))
        assert await directory._sql.statement(lambda connection: connection.scalar(count)) == 2
        await take(directory, {"sessions": []}, NOW + timedelta(days=31))
        assert await directory._sql.statement(lambda connection: connection.scalar(count)) == 0

    with_directory(sqlite_url, use)


def test_imports_at_once_come_one_after_the_other(database_url: str) -> None:
    async def use(directory: SqlDirectory) -> None:
        reports = await asyncio.gather(*(take(directory, example()) for _ in range(4)))
        assert all(report["users"] == UNCHANGED_TWO for report in reports)

    with_directory(database_url, use)


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

"""What an import does to the directory, in both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from application.adapters.directory import InvalidImport, SectionReport, SqlDirectory, read_import
from application.ports import (
    RouteRecord,
)
from tests.application.adapters.directory.example import NOW, example, file_of
from tests.application.adapters.directory.support import (
    AGENT25,
    CARLA,
    SHOP,
    UNCHANGED_ONE,
    UNCHANGED_TWO,
    order_inputs,
    take,
    with_directory,
)


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
        empty: dict[str, Any] = {name: [] for name in example()}
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

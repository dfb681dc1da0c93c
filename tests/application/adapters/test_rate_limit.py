"""At most N requests of one key in any M seconds, whichever processes they reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import text

from application.adapters.rate_limit import (
    RateLimit,
    RateLimiterUnavailable,
    SqlRateLimiter,
    create_tables,
    parse_rate_limit,
)
from application.adapters.sql import make_engine
from tests.helpers import run

T = TypeVar("T")

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def with_limiters(url: str, limit: str, use: Callable[[SqlRateLimiter, SqlRateLimiter], Awaitable[T]]) -> T:
    """Run `use` with two limiters on one database, as two processes have them."""

    async def connected() -> T:
        engines = make_engine(url), make_engine(url)
        create_tables(engines[0])
        create_tables(engines[1])
        limiters = SqlRateLimiter(engines[0], limit), SqlRateLimiter(engines[1], limit)
        try:
            return await use(*limiters)
        finally:
            for limiter in limiters:
                await limiter.close()

    return run(connected())


def test_requests_above_the_limit_are_told_when_to_come_back(database_url: str) -> None:
    async def use(limiter: SqlRateLimiter, _: SqlRateLimiter) -> None:
        assert [await limiter.check("a", after(seconds)) for seconds in (0, 1, 2.5)] == [None, None, None]
        assert await limiter.check("a", after(2.5)) == 8
        assert await limiter.check("a", after(9.2)) == 1
        assert await limiter.check("a", after(10)) is None
        assert await limiter.check("a", after(10)) == 1
        assert await limiter.check("a", after(11)) is None
        assert await limiter.check("a", after(12)) == 1
        assert await limiter.check("a", after(12.5)) is None

    with_limiters(database_url, "3/10s", use)


def test_no_window_of_that_length_holds_more_requests_than_the_limit(database_url: str) -> None:
    async def use(limiter: SqlRateLimiter, _: SqlRateLimiter) -> None:
        asked = [index * 0.7 for index in range(60)]
        accepted = [at for at in asked if await limiter.check("a", after(at)) is None]
        assert len(accepted) >= 20
        for start in accepted:
            assert sum(start <= at < start + 10 for at in accepted) <= 5

    with_limiters(database_url, "5/10s", use)


def test_each_key_has_a_limit_of_its_own(database_url: str) -> None:
    async def use(limiter: SqlRateLimiter, _: SqlRateLimiter) -> None:
        assert await limiter.check("a", NOON) is None
        assert await limiter.check("b", NOON) is None
        assert await limiter.check("a", NOON) == 60

    with_limiters(database_url, "1/60s", use)


def test_requests_at_once_in_several_processes_share_one_limit(database_url: str) -> None:
    async def use(here: SqlRateLimiter, there: SqlRateLimiter) -> None:
        answers = await asyncio.gather(*(limiter.check("a", NOON) for _ in range(30) for limiter in (here, there)))
        assert answers.count(None) == 50
        assert set(answers) == {None, 60}

    with_limiters(database_url, "50/60s", use)


def test_keys_that_are_no_longer_used_are_removed(database_url: str) -> None:
    async def use(limiter: SqlRateLimiter, _: SqlRateLimiter) -> None:
        for index in range(20):
            await limiter.check(f"key {index}", NOON)
        await limiter.check("later", after(61))
        keys = await limiter._sql.statement(lambda c: c.scalars(text("SELECT key FROM rate_limits")).all())
        assert keys == ["later"]

    with_limiters(database_url, "50/60s", use)


def test_off_allows_everything_and_needs_no_table(sqlite_url: str) -> None:
    async def use() -> None:
        limiter = SqlRateLimiter(make_engine(sqlite_url), "off")
        assert {await limiter.check("a", NOON) for _ in range(100)} == {None}
        await limiter.close()

    run(use())


def test_counts_that_cannot_be_read_are_an_error(database_url: str) -> None:
    async def use() -> None:
        limiter = SqlRateLimiter(make_engine(database_url), "1/1s")
        with pytest.raises(RateLimiterUnavailable):
            await limiter.check("a", NOON)
        await limiter.close()

    run(use())


def test_the_setting_is_off_or_requests_per_seconds() -> None:
    assert parse_rate_limit("off") is None
    assert parse_rate_limit("50/60s") == RateLimit(50, 60)


@pytest.mark.parametrize(
    "setting", ["", "on", "50", "50/60", "0/60s", "50/0s", "1001/60s", "50/99999s", "-1/60s", "5/1m", "5/1s\n"]
)
def test_any_other_setting_is_refused(setting: str) -> None:
    with pytest.raises(ValueError):
        parse_rate_limit(setting)

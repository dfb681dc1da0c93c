"""SqlRateLimiter: at most N requests of one key in any M seconds, counted by all processes together.

A sliding window, exact: each key keeps the times of its last N accepted requests, and one more is accepted when there
are fewer, or the oldest has left the window. Refused requests do not count. One statement decides and records.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from application.adapters.sql import Busy, SqlThreads, migrating

T = TypeVar("T")

MAX_REQUESTS = 1000  # each key's times are one row
MAX_WINDOW_S = 24 * 3600
SWEEP_EVERY_S = 60
SWEEP_MAX_ROWS = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000  # in microseconds, as all times here

TABLE = {
    "sqlite": "CREATE TABLE IF NOT EXISTS rate_limits"
    " (key TEXT PRIMARY KEY, times TEXT NOT NULL, last_time INTEGER NOT NULL) WITHOUT ROWID",
    # Unlogged: after a crash of the database everybody starts afresh, and no request waits for its log.
    "postgresql": "CREATE UNLOGGED TABLE IF NOT EXISTS rate_limits"
    " (key text PRIMARY KEY, times jsonb NOT NULL, last_time bigint NOT NULL)",
}

ACCEPT = {
    "sqlite": """
        INSERT INTO rate_limits AS stored VALUES (:key, json_array(:now), :now)
        ON CONFLICT (key) DO UPDATE SET last_time = excluded.last_time, times = json_insert(
            CASE WHEN json_array_length(times) < :requests THEN times ELSE json_remove(times, '$[0]') END, '$[#]', :now)
        WHERE json_array_length(times) < :requests OR json_extract(times, '$[0]') <= :now - :window
        RETURNING key""",
    "postgresql": """
        INSERT INTO rate_limits AS stored VALUES (:key, jsonb_build_array(CAST(:now AS bigint)), :now)
        ON CONFLICT (key) DO UPDATE SET last_time = excluded.last_time, times =
            CASE WHEN jsonb_array_length(stored.times) < :requests THEN stored.times ELSE stored.times - 0 END
            || jsonb_build_array(CAST(:now AS bigint))
        WHERE jsonb_array_length(stored.times) < :requests OR (stored.times ->> 0)::bigint <= :now - :window
        RETURNING key""",
}

OLDEST = {
    "sqlite": "SELECT json_extract(times, '$[0]') FROM rate_limits WHERE key = :key",
    "postgresql": "SELECT (times ->> 0)::bigint FROM rate_limits WHERE key = :key",
}

SWEEP = {
    "sqlite": "DELETE FROM rate_limits WHERE key IN"
    " (SELECT key FROM rate_limits WHERE last_time <= :before LIMIT :rows)",
    "postgresql": "DELETE FROM rate_limits WHERE key IN"
    " (SELECT key FROM rate_limits WHERE last_time <= :before LIMIT :rows FOR UPDATE SKIP LOCKED)",
}


class RateLimiterUnavailable(Exception):
    """The counts cannot be read right now."""


@dataclass(frozen=True)
class RateLimit:
    requests: int
    window_s: int


def parse_rate_limit(setting: str) -> RateLimit | None:
    """`50/60s` as 50 requests in any 60 seconds; `off` as None. Raises ValueError."""
    if setting == "off":
        return None
    match = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,5})s", setting)
    limit = RateLimit(int(match[1]), int(match[2])) if match else None
    if limit is None or not (1 <= limit.requests <= MAX_REQUESTS and 1 <= limit.window_s <= MAX_WINDOW_S):
        raise ValueError(f"a rate limit is off or N/Ms, as 50/60s, with N up to {MAX_REQUESTS} and M up to a day")
    return limit


def create_tables(engine: Engine) -> None:
    """Create what is missing; safe to run again, and by several processes at once."""
    with migrating(engine) as connection:
        connection.execute(text(TABLE[engine.dialect.name]))


class SqlRateLimiter:
    """One limit for every key, shared by the processes through one table. Raises ValueError for a bad setting."""

    def __init__(self, engine: Engine, limit: str) -> None:
        self._limit = parse_rate_limit(limit)
        self._sql = SqlThreads(engine, "rate-limit", threads=2)
        self._next_sweep_s = 0.0

    async def check(self, key: str, now: datetime) -> int | None:
        """None if the request is allowed, and so counted; else the whole seconds after which to try again, at least 1.

        key: a hash that stands for the requester, never a token. now: aware. Raises RateLimiterUnavailable.
        """
        if self._limit is None:
            return None
        await self._sweep(now)
        return await self._call(self._sql.statement(_Check(self._limit, key, _microseconds(now))))

    async def close(self) -> None:
        """Close the threads and the engine."""
        await self._sql.close()

    async def _sweep(self, now: datetime) -> None:
        """Now and then remove the keys whose window is empty, so that the table stays as small as the traffic."""
        assert self._limit is not None
        if now.timestamp() < self._next_sweep_s:
            return
        self._next_sweep_s = now.timestamp() + SWEEP_EVERY_S
        values = {"before": _microseconds(now) - self._limit.window_s * SECOND, "rows": SWEEP_MAX_ROWS}
        await self._call(
            self._sql.statement(
                lambda connection: connection.execute(text(SWEEP[connection.dialect.name]), values).rowcount
            )
        )

    @staticmethod
    async def _call(call: Awaitable[T]) -> T:
        try:
            return await call
        except (SQLAlchemyError, TimeoutError, Busy) as error:
            raise RateLimiterUnavailable(type(error).__name__) from error


@dataclass(frozen=True)
class _Check:
    limit: RateLimit
    key: str
    now: int

    def __call__(self, connection: Connection) -> int | None:
        window = self.limit.window_s * SECOND
        kind = connection.dialect.name
        values = {"key": self.key, "now": self.now, "requests": self.limit.requests, "window": window}
        if connection.execute(text(ACCEPT[kind]), values).first() is not None:
            return None
        oldest = connection.execute(text(OLDEST[kind]), {"key": self.key}).scalar()
        free_at = (self.now if oldest is None else oldest) + window
        return max(1, -((self.now - free_at) // SECOND))


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND

"""What many ask of PostgreSQL at once goes in one statement, and each gets the rows of its own question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from application.adapters.row_reader import TOGETHER, PostgresRows, Statement
from application.ports import DirectoryUnavailable
from tests.application.adapters.directory.support import CARLA, EMIL, SHOP, order_inputs, with_directory
from tests.helpers import run

COUNTED = Statement("SELECT number FROM generate_series(1, $1) AS number", ("integer",))
WRITTEN = Statement("SELECT $2 || $1 || $2", ("text", "text"))
TRANSACTION = Statement("SELECT pg_current_xact_id()::text, $1", ("text",))
ENDED = Statement("SELECT pg_terminate_backend(pg_backend_pid(), 2000), $1", ("text",))


def with_rows(url: str, use: Callable[[PostgresRows], Awaitable[None]]) -> None:
    async def connected() -> None:
        rows = PostgresRows(url, DirectoryUnavailable)
        try:
            await use(rows)
        finally:
            await rows.close()

    run(connected())


def test_each_question_gets_its_own_rows_in_their_order(postgresql_url: str) -> None:
    async def use(rows: PostgresRows) -> None:
        sizes = (3, 0, 1, 3, 2)
        found = await asyncio.gather(*(rows.rows(COUNTED, size) for size in sizes))
        assert [[row[0] for row in answer] for answer in found] == [[*range(1, size + 1)] for size in sizes]

    with_rows(postgresql_url, use)


def test_parameters_keep_their_places(postgresql_url: str) -> None:
    async def use(rows: PostgresRows) -> None:
        found = await asyncio.gather(rows.rows(WRITTEN, "b", "a"), rows.rows(WRITTEN, "d", "c"))
        assert [[*answer[0]] for answer in found] == [["aba"], ["cdc"]]

    with_rows(postgresql_url, use)


def test_what_is_asked_at_once_is_one_statement_up_to_a_limit(postgresql_url: str) -> None:
    async def transactions(rows: PostgresRows, questions: int) -> int:
        found = await asyncio.gather(*(rows.rows(TRANSACTION, str(number)) for number in range(questions)))
        assert [answer[0][1] for answer in found] == [str(number) for number in range(questions)]
        return len({answer[0][0] for answer in found})

    async def use(rows: PostgresRows) -> None:
        assert await transactions(rows, TOGETHER) == 1
        assert await transactions(rows, TOGETHER + 1) == 2

    with_rows(postgresql_url, use)


@pytest.mark.parametrize("impossible", ["\0", "\ud800", 5])
def test_what_cannot_be_asked_is_refused_to_its_asker_alone(postgresql_url: str, impossible: object) -> None:
    async def use(rows: PostgresRows) -> None:
        questions = (rows.rows(WRITTEN, value, "-") for value in ("a", impossible, "b"))
        first, refused, last = await asyncio.gather(*questions, return_exceptions=True)
        assert isinstance(refused, DirectoryUnavailable)
        assert [[*answer[0]] for answer in (first, last) if not isinstance(answer, BaseException)] == [["-a-"], ["-b-"]]

    with_rows(postgresql_url, use)


def test_a_connection_that_ends_is_told_to_all_and_the_next_question_has_another(postgresql_url: str) -> None:
    async def use(rows: PostgresRows) -> None:
        told = await asyncio.gather(rows.rows(ENDED, "a"), rows.rows(ENDED, "b"), return_exceptions=True)
        assert all(isinstance(error, DirectoryUnavailable) for error in told)
        assert [[*row] for row in await rows.rows(COUNTED, 1)] == [[1]]

    with_rows(postgresql_url, use)


def test_who_goes_away_takes_nothing_from_the_others(postgresql_url: str) -> None:
    async def use(rows: PostgresRows) -> None:
        first, second = (asyncio.create_task(rows.rows(COUNTED, size)) for size in (1, 2))
        await asyncio.sleep(0)
        first.cancel()
        assert len(await second) == 2
        assert first.cancelled()

    with_rows(postgresql_url, use)


def test_a_crowd_reads_what_each_would_read_alone(database_url: str) -> None:
    def questions(directory: Any) -> list[Awaitable[Any]]:
        return [
            *(directory.session(token) for token in (CARLA, EMIL, SHOP, CARLA)),
            *(directory.application(slug) for slug in ("shop", "nobody")),
            *(directory.route("POST", path) for path in ("/api/v1/pay", "/")),
            *(
                order_inputs(directory, client, code=code)
                for client in (11, 12, 99)
                for code in (None, "agent25", "NO")
            ),
        ]

    async def use(directory: Any) -> None:
        alone = [await question for question in questions(directory)]
        assert await asyncio.gather(*questions(directory)) == alone
        assert any(alone)

    with_directory(database_url, use)

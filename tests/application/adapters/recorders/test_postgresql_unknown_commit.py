"""Facts about a COMMIT whose answer is lost between PostgreSQL and us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from application.adapters.recorders import postgresql_sessions, postgresql_writer
from application.event_log import CommitUnknown, Conflict, Recorder, StoreUnavailable
from tests.application.adapters.recorders.examples import event, everything, opened, outcomes
from tests.application.adapters.recorders.lossy_proxy import Fault, LossyProxy, lossy
from tests.helpers import run


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[Recorder, LossyProxy]]:
    """A recorder behind the proxy, with a session that has prepared its statement: the next insert is one request."""
    async with lossy(url) as proxy, opened(url), opened(proxy.url) as recorder:
        await recorder.insert([event(uuid4(), 1)])
        yield recorder, proxy


def test_a_lost_answer_is_found_to_be_written_once(postgresql_url: str) -> None:
    async def fact() -> None:
        async with connected(postgresql_url) as (recorder, proxy):
            stream, window = uuid4(), uuid4()
            proxy.fault = Fault.LOSE_ANSWER

            position = await recorder.insert([event(stream, 1), event(window, 1)])

            assert proxy.struck.is_set()
            assert [one.id for one in await recorder.select([stream, window])].count(position) == 1
            assert len(await everything(recorder)) == 1 + 2

    run(fact())


def test_a_lost_answer_of_a_group_gives_each_insert_its_own_outcome(postgresql_url: str) -> None:
    async def fact() -> None:
        async with connected(postgresql_url) as (recorder, proxy):
            contested = uuid4()
            proxy.fault = Fault.LOSE_ANSWER

            mine, theirs, bystander = await outcomes(
                recorder, [[event(contested, 1, b"mine")], [event(contested, 1, b"theirs")], [event(uuid4(), 1)]]
            )

            assert proxy.struck.is_set()
            assert isinstance(mine, int)
            assert isinstance(theirs, Conflict)
            assert isinstance(bystander, int)

    run(fact())


def test_a_lost_request_is_found_not_to_be_written(postgresql_url: str) -> None:
    async def fact() -> None:
        async with connected(postgresql_url) as (recorder, proxy):
            stream = uuid4()
            proxy.fault = Fault.LOSE_REQUEST

            with pytest.raises(StoreUnavailable):
                await recorder.insert([event(stream, 1)])

            assert proxy.struck.is_set()
            await recorder.insert([event(stream, 1)])

    run(fact())


def test_a_request_that_arrives_after_it_was_given_up_writes_nothing(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_sessions, "COMMAND_S", 0.2)

    async def fact() -> None:
        async with connected(postgresql_url) as (recorder, proxy):
            stream = uuid4()
            proxy.fault = Fault.HOLD_REQUEST
            with pytest.raises(StoreUnavailable):
                await recorder.insert([event(stream, 1)])

            proxy.let_go.set()
            await asyncio.sleep(0.1)

            assert await recorder.select([stream]) == []

    run(fact())


def test_with_the_server_out_of_reach_the_outcome_stays_unknown(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_writer, "RESOLVE_PAUSES_S", (0.0, 0.01, 0.02))

    async def fact() -> None:
        async with connected(postgresql_url) as (recorder, proxy):
            stream = uuid4()
            proxy.fault, proxy.down = Fault.LOSE_ANSWER, True
            with pytest.raises(CommitUnknown):
                await recorder.insert([event(stream, 1)])

            proxy.down = False

            assert len(await recorder.select([stream])) == 1

    run(fact())

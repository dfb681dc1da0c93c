"""What the directory remembers, and for how long."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from application.adapters.directory.cached import CachedDirectory
from application.adapters.directory.request_reads import Catalog, Customer
from application.ports import (
    ApplicationRecord,
    ClientRecord,
    DirectoryUnavailable,
    OrderInputs,
    PromotionRecord,
    RouteRecord,
    SessionRecord,
)
from tests.helpers import run

T = TypeVar("T")


class Counting:
    """A directory with one application that counts its reads and can be broken."""

    def __init__(self) -> None:
        self.reads = 0
        self.under_way = self.most_at_once = 0
        self.broken = False
        self.pause_s = 0.0

    async def application(self, slug: str) -> ApplicationRecord | None:
        return await self._read(ApplicationRecord(slug, slug, (), ()))

    async def route(self, method: str, path: str) -> RouteRecord | None:
        raise NotImplementedError

    async def session(self, token_hash: str) -> SessionRecord | None:
        self.reads += 1
        return None

    async def application_by_token(self, token_hash: str) -> ApplicationRecord | None:
        raise NotImplementedError

    async def catalog(self) -> Catalog:
        return Catalog("1", {})

    async def customer(self, client_id: int, payment_method_id: int | None) -> Customer:
        return await self._read(Customer(ClientRecord(client_id, "Ann", "ann@example.com", ()), None))

    async def promotion(self, code: str) -> PromotionRecord | None:
        return await self._read(None)

    async def _read(self, answer: T) -> T:
        """Notes how many are under way at once."""
        self.reads += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await asyncio.sleep(self.pause_s)
        self.under_way -= 1
        if self.broken:
            raise DirectoryUnavailable("broken")
        return answer

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        raise NotImplementedError(at.astimezone(UTC))


class Imports:
    """A generation that the test moves."""

    def __init__(self) -> None:
        self.number: int | None = 1

    def current(self) -> int | None:
        return self.number

    async def close(self) -> None:
        return None


def world(max_age_s: float = 10.0) -> tuple[Counting, Imports, CachedDirectory]:
    directory, imports = Counting(), Imports()
    return directory, imports, CachedDirectory(directory, imports, max_age_s=max_age_s)


async def ask(cached: CachedDirectory, times: int) -> list[Any]:
    return [await cached.application("planoorder") for _ in range(times)]


def test_the_same_question_is_read_once_while_its_answer_is_fresh() -> None:
    directory, _, cached = world()

    run(ask(cached, 5))

    assert directory.reads == 1


def test_an_answer_is_read_again_after_its_age() -> None:
    directory, _, cached = world(max_age_s=0.0)

    run(ask(cached, 3))

    assert directory.reads == 3


def test_a_person_is_remembered_for_longer_than_what_every_request_reads() -> None:
    directory, _, cached = world(max_age_s=0.0)

    async def scenario() -> None:
        for _ in range(3):
            await cached.session("a" * 64)

    run(scenario())

    assert directory.reads == 1


async def inputs(cached: CachedDirectory, client_id: int, code: str | None) -> OrderInputs:
    return await cached.order_inputs(client_id=client_id, payment_method_id=None, slugs=(), promotion_code=code)


def test_a_promotion_is_read_once_for_all_clients_and_a_client_once_for_all_promotions() -> None:
    directory, _, cached = world()

    async def scenario() -> None:
        for client_id, code in ((1, "A"), (2, "A"), (2, "B"), (1, "B"), (1, None)):
            found = await inputs(cached, client_id, code)
            assert found.client is not None
            assert found.client.id == client_id

    run(scenario())

    assert directory.reads == 4  # two clients, two promotions


def test_an_unseen_client_and_an_unseen_promotion_are_read_side_by_side() -> None:
    directory, _, cached = world()
    directory.pause_s = 0.01

    run(inputs(cached, 1, "A"))

    assert directory.most_at_once == 2


def test_a_directory_that_cannot_be_read_is_told_and_not_remembered() -> None:
    directory, _, cached = world()
    directory.broken = True

    async def scenario() -> None:
        with pytest.raises(DirectoryUnavailable):
            await inputs(cached, 1, "A")
        directory.broken = False
        assert (await inputs(cached, 1, "A")).client is not None

    run(scenario())


def test_an_import_makes_every_answer_old_also_one_that_was_being_read() -> None:
    directory, imports, cached = world()
    directory.pause_s = 0.01

    async def scenario() -> None:
        reading = asyncio.create_task(cached.application("planoorder"))
        await asyncio.sleep(0)
        imports.number = 2
        await reading
        await cached.application("planoorder")

    run(scenario())

    assert directory.reads == 2


def test_nothing_is_remembered_while_imports_cannot_be_noticed() -> None:
    directory, imports, cached = world()
    imports.number = None

    run(ask(cached, 3))

    assert directory.reads == 3


@pytest.mark.parametrize(("cancelled", "reads"), [(0, 2), (5, 1)], ids=["the one that reads", "one that waits"])
def test_concurrent_questions_share_one_read_and_a_cancelled_one_takes_the_answer_from_nobody(
    cancelled: int, reads: int
) -> None:
    directory, _, cached = world()
    directory.pause_s = 0.02

    async def scenario() -> list[Any]:
        asking = [asyncio.create_task(cached.application("planoorder")) for _ in range(10)]
        await asyncio.sleep(0)
        asking.pop(cancelled).cancel()
        return await asyncio.gather(*asking)

    assert len(run(scenario())) == 9
    assert directory.reads == reads


def test_an_error_is_told_once_and_not_remembered() -> None:
    directory, _, cached = world()
    directory.broken = True

    async def scenario() -> None:
        with pytest.raises(DirectoryUnavailable):
            await cached.application("planoorder")
        directory.broken = False
        assert await cached.application("planoorder") is not None

    run(scenario())

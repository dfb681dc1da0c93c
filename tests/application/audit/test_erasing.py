"""An erased client: nothing is left of the person in any file, nothing stored is changed, and nothing comes back."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from application.adapters import scrubbing
from application.adapters.key_store import SqlKeyStore
from application.adapters.sql import make_engine
from application.audit.erasing import KEY_STALENESS_S, NotFinished, UnknownClient, erasure_id
from application.order_reading import OrderReading
from application.ports import KeyDestroyed
from domain.erasure import ClientErasure
from tests.application.audit.erasure_faults import BREAKS, broken_off, reading, restore_backup, roles_of, wrapped_key
from tests.application.audit.erasure_world import (
    CARLA,
    EMAIL,
    IN_DIRECTORY,
    NAME,
    OTHER,
    PERSONAL,
    SECRET,
    USER,
    WHY,
    Stores,
    a_directory,
    a_telling_command,
    opened,
    with_stores,
)

TOPICS = ["client.erasure-requested.v1", "client.erased.v1"]


def test_afterwards_no_file_holds_anything_of_the_person(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.order()
        await stores.search.catch_up()
        wrapped = await wrapped_key(stores)
        assert stores.on_disk(*PERSONAL, wrapped) == {
            *IN_DIRECTORY,
            wrapped,
        }  # the log never held the rest in the clear

        done = await stores.erase()

        assert (done.records.clients, done.records.users, done.records.sessions) == (1, 1, 1)
        assert (done.records.payment_methods, done.index_entries > 3) == (2, True)
        assert stores.on_disk(*PERSONAL, wrapped) == set()

    with_stores(database_url, use)


def test_no_stored_event_changes_and_two_are_added(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.order()
        before = await stores.log()
        await stores.erase()
        after = await stores.log()
        assert after[: len(before)] == before
        assert [row[3] for row in after[len(before) :]] == TOPICS
        (erasure,) = await stores.events.load((ClientErasure, erasure_id(CARLA)))
        assert (erasure.client_id, erasure.reason) == (CARLA, WHY["reason"])
        assert erasure.erased_at is not None

    with_stores(database_url, use)


def test_an_erased_order_is_still_read_without_the_person(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        order_id = await stores.order()
        reading = OrderReading(stores.events, stores.keys)
        await stores.erase()
        order = await reading.read(order_id, "order_read")
        assert order is not None
        assert (order.shown["client"], order.shown["total_cents"]) == ({"id": CARLA, "name": None}, 18_500)
        assert (order.shown["property"], order.shown["property_access"]) == (None, None)
        assert (order.shown["instructions"]["notes"], order.shown["state"]) == (None, "submitted")

    with_stores(database_url, use)


def test_others_keep_everything(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        theirs = await stores.order(OTHER, 5)
        await stores.erase()
        order = await OrderReading(stores.events, stores.keys).read(theirs, "order_read")
        assert order is not None
        assert order.shown["property"]["address"]["street"] == "5 Zyzzyva Lane"
        assert (await stores.search.by_place("5 zyzzyva lane")).order_ids == (theirs,)
        assert (await stores.directory.customer(OTHER, None)).client is not None

    with_stores(database_url, use)


def test_nobody_orders_for_an_erased_client_again(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.erase()  # a client who never ordered, and so had no key
        assert (await stores.directory.customer(CARLA, None)).client is None
        with pytest.raises(KeyDestroyed):
            await stores.keys.key(CARLA)
        before = await stores.log()
        outcome = await stores.pay_and_submit(a_telling_command())  # by what was read a moment before
        assert (outcome.status, outcome.param, outcome.detail) == ("invalid-param", "order.client", "client-erased")
        assert await stores.log() == before

    with_stores(database_url, use)


def test_a_later_import_takes_the_rest_of_the_file_and_not_the_person(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.erase()
        content = a_directory()
        content["services"][0]["prices_cents"]["15"] = 20_000
        report = await stores.take(content)
        assert report.withheld == 5  # the client, its user, one session, two cards
        assert report.sections["services"].changed == 1
        assert (await stores.directory.customer(CARLA, 101)).client is None
        del content["clients"], content["users"]
        assert (await stores.take(content)).withheld == 3
        content = a_directory()
        content["users"][0]["roles"] = []  # no client's user any more, but still the same person
        await stores.take(content)
        assert stores.on_disk(*PERSONAL) == set()

    with_stores(database_url, use)


def test_a_user_who_also_acts_for_others_stays_for_them(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        content = a_directory()
        content["users"][0]["roles"].append({"role": "client", "client_id": OTHER})
        await stores.take(content)
        assert (await stores.erase()).records.users == 0
        await stores.take(content)
        assert await roles_of(stores, 1) == (USER, [{"role": "client", "client_id": OTHER}])

    with_stores(database_url, use)


def test_a_repeated_command_adds_no_event_and_carries_every_step_out_again(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.order()
        key_id, _key = await stores.keys.key(CARLA)
        wrapped = await wrapped_key(stores)
        first = await stores.erase()
        log = await stores.log()
        await restore_backup(stores, wrapped)

        again = await stores.erase(reason="once more", request="cmd_2")

        assert (again.repeated, again.erased_at) == (True, first.erased_at)
        assert await stores.log() == log
        assert await stores.keys.find(key_id) is None
        assert stores.on_disk(NAME, wrapped) == set()
        assert (await stores.erase()).records.clients == 0

    with_stores(database_url, use)


def test_an_unknown_client_is_refused_and_leaves_no_word(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        with pytest.raises(UnknownClient):
            await stores.erase(99)
        assert await stores.log() == []

    with_stores(database_url, use)


@pytest.mark.parametrize(("step", "when", "kind"), BREAKS)
def test_an_erasure_that_breaks_off_is_finished_by_the_same_command(
    request: pytest.FixtureRequest, step: str, when: str, kind: str
) -> None:
    database_url: str = request.getfixturevalue(f"{kind}_url")

    async def use(stores: Stores) -> None:
        await stores.order()
        await stores.search.catch_up()
        with pytest.raises(NotFinished):
            await broken_off(stores, step, when)(CARLA, **WHY)
        assert [row[3] for row in await stores.log()][-1] == TOPICS[0]
        async with opened(database_url) as next_process:
            assert not (await next_process.erase()).repeated
            assert [row[3] for row in await next_process.log()][-2:] == TOPICS
            assert next_process.on_disk(*PERSONAL) == set()
            assert (await next_process.search.by_email(EMAIL)).order_ids == ()

    with_stores(database_url, use)


@pytest.mark.parametrize(
    ("kind", "isolation"),
    [("sqlite", ""), ("postgresql", "REPEATABLE READ"), ("postgresql", "READ COMMITTED")],  # a snapshot; a lock alone
)
def test_bytes_that_a_reader_holds_on_to_are_not_called_erased(
    request: pytest.FixtureRequest, kind: str, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_url: str = request.getfixturevalue(f"{kind}_url")
    monkeypatch.setattr(scrubbing.scrub, "__kwdefaults__", {"wait_s": 0.2})

    async def use(stores: Stores) -> None:
        with reading(stores, isolation), pytest.raises(NotFinished, match="files"):
            await stores.erase()
        assert [row[3] for row in await stores.log()] == TOPICS[:1]
        await stores.erase()
        assert [row[3] for row in await stores.log()] == TOPICS

    with_stores(database_url, use)


def test_another_process_that_knew_the_key_forgets_it_in_the_time_that_is_told(sqlite_url: str) -> None:
    async def use(stores: Stores) -> None:
        order_id, now = await stores.order(), [0.0]
        keys = SqlKeyStore(make_engine(sqlite_url.replace(".db", "-keys.db")), SECRET, clock=lambda: now[0])
        there = OrderReading(stores.events, keys)
        try:
            assert NAME in str(await there.read(order_id, "default"))
            await stores.erase()
            now[0] = float(KEY_STALENESS_S)
            assert NAME not in str(await there.read(order_id, "default"))
        finally:
            await keys.close()

    with_stores(sqlite_url, use)


def test_pages_that_were_split_and_moved_keep_no_copy(sqlite_url: str) -> None:
    """`secure_delete` and an empty write-ahead log alone leave some here: that is why the tables are rewritten."""
    ids, erased = range(1000, 2500), range(1000, 2500, 11)

    async def use(stores: Stores) -> None:
        content = a_directory()
        for growth in (7, 3, 5):
            more = [{"id": i, "name": f"Name-{i}-{'x' * (i * growth % 140)}", "email": f"e{i}@x.example"} for i in ids]
            content["clients"] = a_directory()["clients"] + [client | {"additional_emails": []} for client in more]
            await stores.take(content)
        for client_id in erased:
            await stores.erasable.erase(client_id, stores.clock.now())
        await stores.erasable.scrub()
        assert stores.on_disk(*(f"Name-{i}-" for i in erased), *(f"e{i}@x" for i in erased)) == set()

    with_stores(sqlite_url, use)


def test_two_erasures_at_once_leave_two_events(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        async with opened(database_url) as other:
            await asyncio.gather(stores.erase(), other.erase(request="cmd_2"))
        assert [row[3] for row in await stores.log()] == TOPICS

    with_stores(database_url, use)


PRIVATE = {
    ("directory_clients", "name"),
    ("directory_users", "email"),
    ("client_keys", "wrapped_key"),
    ("person_index", "digest"),
}


def analysed(url: str, *statements: str) -> set[tuple[str, str]]:
    """The columns of which PostgreSQL knows values, after the statements."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (*statements, "ANALYZE"):
            connection.execute(statement.encode())
        return set(connection.execute("SELECT tablename, attname FROM pg_stats").fetchall())


async def several(stores: Stores) -> None:
    """Given that there are enough clients and keys to know something of."""
    for client_id in (CARLA, OTHER):
        for house in range(60, 65):
            await stores.order(client_id, house)
    await stores.search.catch_up()


def test_postgresql_keeps_no_statistics_of_names_keys_and_digests(postgresql_url: str) -> None:
    async def use(stores: Stores) -> None:
        await several(stores)
        found = analysed(postgresql_url)
        assert {("directory_clients", "id"), ("client_keys", "client_id"), ("person_index", "position")} < found
        assert found & PRIVATE == set()

    with_stores(postgresql_url, use)


def test_statistics_of_an_earlier_version_are_erased_too_and_no_more_are_kept(postgresql_url: str) -> None:
    before = (f"ALTER TABLE {place} SET STATISTICS -1" for place in (
        "directory_clients ALTER name", "directory_users ALTER email",
        "orders_keys.client_keys ALTER wrapped_key", "orders_keys.person_index ALTER digest",
    ))  # fmt: skip

    async def use(stores: Stores) -> None:
        await several(stores)
        wrapped = await wrapped_key(stores)
        assert analysed(postgresql_url, *before) > PRIVATE
        async with opened(postgresql_url) as next_version:
            await next_version.erase()
        assert stores.on_disk(*PERSONAL, wrapped) == set()
        assert analysed(postgresql_url) & PRIVATE == set()

    with_stores(postgresql_url, use)

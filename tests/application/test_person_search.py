"""Orders are found by an e-mail address or a property; what is stored for it is keyed and can be made again."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, text, update

from application import person_search
from application.adapters.person_index import entries
from application.person_digests import PersonDigests
from application.person_search import MAX_FOUND, PersonSearch
from application.ports.erasure import IndexEntry, PersonIndexUnavailable
from tests.application.audit.erasure_world import (
    CARLA,
    CITY,
    CONTACT_EMAIL,
    EMAIL_2,
    OTHER,
    PERSONAL,
    SECRET,
    Stores,
    opened,
    with_stores,
)

ADDRESS = {"street": "4 Élan Road", "street2": "Apt. 2", "city": "Denver", "province": "us_co", "postal_code": "01234"}


@pytest.mark.parametrize(
    "typed",
    [
        "4 Élan Road, Apt. 2, Denver, us_co 01234",
        "4 élan road apt 2, denver 01234",
        "4 ÉLAN ROAD, APT 2",
        " 4 élan road ",
        "mls-7",
        "MLS 7",
    ],
)
def test_a_property_is_found_however_it_is_typed(typed: str) -> None:
    digests = PersonDigests(SECRET)
    personal = {"property_info": {"address": ADDRESS, "property_id": "MLS 7"}}
    assert digests.place(typed) in digests.of(personal)


@pytest.mark.parametrize("typed", ["4 Elan Road", "Denver", "14 Élan Road", "01234", ""])
def test_another_property_is_not(typed: str) -> None:
    digests = PersonDigests(SECRET)
    assert digests.place(typed) not in digests.of({"property_info": {"address": ADDRESS}})


def test_another_secret_key_gives_other_digests_and_a_place_is_no_email() -> None:
    one, other = PersonDigests(SECRET), PersonDigests(b"another secret key of tests")
    assert len({one.email("x"), other.email("x"), one.place("x"), other.place("x")}) == 4


def test_an_order_is_found_at_once_by_every_address_and_newest_first(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        first, second = await stores.order(house=1), await stores.order(house=2)
        theirs = await stores.order(OTHER, house=3)
        assert (await stores.search.by_email(f" {EMAIL_2.upper()}")).order_ids == (second, first)
        assert (await stores.search.by_email(CONTACT_EMAIL)).order_ids == (theirs, second, first)
        assert (await stores.search.by_any(f"2 zyzzyva lane; {CITY} 01234")).order_ids == (second,)
        assert (await stores.search.by_email("nobody@plugh.example")).order_ids == ()
        assert (await stores.search.by_any("x" * 100_000)).order_ids == ()
        found = await stores.search.by_place("3 Zyzzyva Lane")
        assert (found.order_ids, found.complete, found.position) == ((theirs,), True, await stores.search.head())

    with_stores(database_url, use)


def test_the_index_holds_digests_only(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        order_id = await stores.order()
        await stores.search.catch_up()
        rows = await stores.index._sql.statement(lambda connection: connection.execute(select(entries)).all())
        assert {(row.order_id, row.client_id) for row in rows} == {(order_id, CARLA)}
        assert len({row.digest for row in rows}) == 6  # three addresses of people, three ways to write the place
        assert not [text for text in PERSONAL if text in str(rows)]

    with_stores(database_url, use)


def test_each_batch_is_taken_in_once_whoever_follows_the_log(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.order()
        head = await stores.search.head()
        late = IndexEntry("0" * 32, await stores.order(house=2), CARLA, head)
        assert await stores.index.add([], 0, head)
        assert not await stores.index.add([late], 0, head)
        assert await stores.index.find(["0" * 32], 10) == []
        async with opened(database_url) as other:
            while await stores.search.catch_up() or await other.search.catch_up():
                pass
            assert await other.index.position() == await stores.search.head()

    with_stores(database_url, use)


def test_it_follows_the_log_in_the_background_and_goes_on_after_a_fault(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("POLL_S", "RETRY_S", "STAND_BY_S"):
        monkeypatch.setattr(person_search, pause, 0.01)

    async def use(stores: Stores) -> None:
        async with opened(database_url) as other:
            tasks = [asyncio.create_task(process.search.run()) for process in (stores, other)]
            for house in (1, 2):
                order_id = await stores.order(house=house)
                while await stores.index.position() < await stores.search.head():
                    await asyncio.sleep(0.01)
                found = await stores.index.find([PersonDigests(SECRET).place(f"{house} Zyzzyva Lane")], 2)
                assert found == [order_id]
                rename = f"ALTER TABLE {prefix}person_index RENAME TO "
                await execute(stores, f"{rename}away")
                await asyncio.sleep(0.05)
                await execute(stores, f"ALTER TABLE {prefix}away RENAME TO person_index")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    prefix = "" if database_url.startswith("sqlite") else "orders_keys."
    with_stores(database_url, use)


async def execute(stores: Stores, statement: str) -> None:
    await stores.index._sql.transaction(lambda connection: connection.execute(text(statement)))


def test_it_can_be_made_again_from_the_log(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        order_id = await stores.order()
        await stores.search.catch_up()
        lose = update(entries).values(client_id=0)
        await stores.index._sql.transaction(lambda connection: connection.execute(lose))
        await stores.search.rebuild()
        assert (await stores.index.position(), await stores.index.find([EMAIL_2], 1)) == (0, [])
        assert (await stores.search.by_email(EMAIL_2)).order_ids == (order_id,)

    with_stores(database_url, use)


def test_nothing_is_added_for_a_client_whose_key_is_gone(database_url: str) -> None:
    """An indexer that opened an order just before the erasure comes too late with it."""

    async def use(stores: Stores) -> None:
        order_id = await stores.order()
        head = await stores.search.head()
        await stores.erase()
        assert await stores.index.add([IndexEntry("0" * 32, order_id, CARLA, head)], 0, head)
        assert await stores.index.find(["0" * 32], 10) == []
        async with opened(database_url) as other:
            await other.search.rebuild()
            assert (await other.search.by_email(EMAIL_2)).order_ids == ()

    with_stores(database_url, use)


def test_an_order_that_does_not_open_is_stepped_over(sqlite_url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.order()
        second = await stores.order(OTHER, house=2)
        spoil = text(
            'UPDATE stored_events SET state = replace(CAST(state AS text), \'"ciphertext":"\', \'"ciphertext":"AAAA\')'
            " WHERE notification_id = 1"
        )
        await stores.erasable._sql.transaction(lambda connection: connection.execute(spoil))
        assert (await stores.search.by_place("2 Zyzzyva Lane")).order_ids == (second,)
        assert (await stores.search.by_place("77 Zyzzyva Lane")).order_ids == ()

    with_stores(sqlite_url, use)


def test_an_index_without_tables_says_that_it_is_unavailable(database_url: str) -> None:
    async def use(stores: Stores) -> None:
        drop = text(f"DROP TABLE {'' if database_url.startswith('sqlite') else 'orders_keys.'}person_index_state")
        await stores.index._sql.transaction(lambda connection: connection.execute(drop))
        for call in (stores.search.by_email("x"), stores.search.catch_up(), stores.search.position()):
            with pytest.raises(PersonIndexUnavailable):
                await call

    with_stores(database_url, use)


def test_a_search_shows_no_more_than_its_limit(sqlite_url: str) -> None:
    async def use(stores: Stores) -> None:
        order_id = await stores.order()
        search: PersonSearch = stores.search
        await search.catch_up()
        many = [IndexEntry("0" * 32, order_id.__class__(int=n), CARLA, n) for n in range(1, MAX_FOUND + 50)]
        head = await search.head()
        assert await stores.index.add(many, head, head + 1)
        assert len(await stores.index.find(["0" * 32], MAX_FOUND)) == MAX_FOUND

    with_stores(sqlite_url, use)

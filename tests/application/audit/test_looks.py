"""Every look at personal data is an event, recorded before anything is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from api.commands.console import print_json_list
from application.adapters.recorders import open_recorder
from application.adapters.recorders.migrations import migrate
from application.audit.looking import SeenData, looks_at
from application.audit.looks import Look, RecordLooks, Viewer, look_at
from application.event_log import EventLog, StoreUnavailable
from application.stored_events import CODEC
from domain.stream import Metadata
from tests.application.audit.stories import opened_scan
from tests.application.stand_ins import ManualClock
from tests.helpers import run

ED = Viewer("user:2", "req_1", "GET /api/v1/orders/{id} view=order_read")
HOME = Look(UUID(int=1), 11, ("client.name", "property"))
DAY_S = 86_400


def looked(url: str, *looks: tuple[Viewer, Look, float]) -> list[SeenData]:
    """Each with the seconds that pass before it; what the log says afterwards."""

    async def record() -> None:
        await migrate(url)
        recorder = open_recorder(url)
        clock = ManualClock()
        record_looks = RecordLooks(EventLog(recorder, CODEC), clock)
        try:
            for viewer, look, seconds in looks:
                clock.advance(seconds)
                await record_looks(viewer, [look])
        finally:
            await recorder.close()

    run(record())
    with opened_scan(url) as scan:
        return list(looks_at(scan, CODEC))


def test_a_look_names_who_saw_which_fields_of_whom_and_where(database_url: str) -> None:
    (look,) = looked(database_url, (ED, HOME, 0))

    assert (look.actor, look.order_id, look.client_id) == ("user:2", UUID(int=1), 11)
    assert look.fields == ("client.name", "property")
    assert look.reason == "GET /api/v1/orders/{id} view=order_read"


def test_the_same_look_again_is_recorded_once_a_day(database_url: str) -> None:
    looks = looked(database_url, (ED, HOME, 0), (ED, HOME, 60), (ED, HOME, DAY_S))

    assert len(looks) == 2


def test_other_people_other_orders_and_further_fields_are_looks_of_their_own(sqlite_url: str) -> None:
    further = Look(HOME.order_id, 11, ("property", "property_access"))
    other = Look(UUID(int=2), 12, ("property",))
    lee = Viewer("user:5", "req_2", "x")

    looks = looked(sqlite_url, (ED, HOME, 0), (ED, further, 1), (ED, other, 1), (lee, HOME, 1), (ED, further, 1))

    assert [(look.actor, look.order_id.int, look.fields[-1]) for look in looks] == [
        ("user:2", 1, "property"),
        ("user:2", 1, "property_access"),
        ("user:2", 2, "property"),
        ("user:5", 1, "property"),
    ]
    with opened_scan(sqlite_url) as scan:
        assert [look.client_id for look in looks_at(scan, CODEC, client_id=12)] == [12]


def test_two_looks_at_once_are_one_event(database_url: str) -> None:
    async def race() -> None:
        await migrate(database_url)
        recorder = open_recorder(database_url)
        record_looks = RecordLooks(EventLog(recorder, CODEC), ManualClock())
        try:
            await asyncio.gather(*(record_looks(ED, [HOME]) for _ in range(5)))
        finally:
            await recorder.close()

    run(race())
    with opened_scan(database_url) as scan:
        assert len(list(looks_at(scan, CODEC))) == 1


def test_a_look_that_cannot_be_recorded_fails(sqlite_url: str) -> None:
    async def look() -> None:
        await migrate(sqlite_url)
        recorder = open_recorder(sqlite_url)
        record_looks = RecordLooks(EventLog(recorder, CODEC), ManualClock())
        await recorder.close()
        await record_looks(ED, [HOME])

    with pytest.raises(StoreUnavailable):
        run(look())


def test_an_erased_order_shows_nothing_personal_so_nothing_is_recorded(sqlite_url: str) -> None:
    order = {"id": str(UUID(int=1)), "client": {"id": 11, "name": None}}
    view: dict[str, Any] = {
        "property": None,
        "property_access": None,
        "instructions": {"services": {}, "notes": None},
        "metadata": {},
    }

    assert look_at(11, {**order, **view, "appointments": []}).fields == ()
    assert looked(sqlite_url, (ED, look_at(11, {**order, **view}), 0)) == []
    assert look_at(11, {**order, "instructions": {"services": {}, "notes": "Ring."}}).fields == ("instructions",)


def test_looking_is_a_repeatable_decision() -> None:
    from domain.personal_data_access import PersonalDataAccess

    access = PersonalDataAccess.empty(UUID(int=3))
    at = ManualClock().now()
    for _ in range(2):
        access.see(Metadata(at, "user:2", "r", "r"), order_id=UUID(int=1), client_id=11, fields=("a", "b"), reason="x")

    assert len(access.collect_events()) == 1


def test_a_long_list_is_printed_while_it_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []

    def values() -> Iterator[dict[str, int]]:
        for number in range(3):
            printed.append(capsys.readouterr().out)
            yield {"number": number}

    print_json_list(values())

    printed.append(capsys.readouterr().out)
    assert all(printed[1:])
    assert json.loads("".join(printed)) == [{"number": 0}, {"number": 1}, {"number": 2}]
    print_json_list([])
    assert json.loads(capsys.readouterr().out) == []

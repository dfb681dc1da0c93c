"""Real stores that hold a person: a directory, orders with everything personal in them, keys and the search index."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from application.adapters import person_index
from application.adapters.directory import SqlDirectory, read_import
from application.adapters.directory import create_tables as create_directory
from application.adapters.directory.erasing import SqlErasableDirectory
from application.adapters.directory.import_write import ImportReport
from application.adapters.key_store import SqlKeyStore
from application.adapters.key_store import create_tables as create_keys
from application.adapters.person_index import SqlPersonIndex
from application.adapters.recorders import is_postgresql, open_recorder
from application.adapters.recorders.migrations import migrate
from application.adapters.sql import make_engine
from application.audit.erasing import EraseClient, Erasure
from application.corrections import TakeBack
from application.derived_ids import DerivedIds
from application.event_log import EventLog
from application.order_streams import OrderStreams
from application.pay_and_submit import PayAndSubmit, Ports
from application.person_digests import PersonDigests
from application.person_search import PersonSearch
from application.ports import ClientRecord
from application.reversal import Reversal
from application.stored_events import CODEC
from tests.application.adapters.directory.example import example
from tests.application.stand_ins import CountingIds, ManualClock, ScriptedGateway, ScriptedMailer
from tests.application.world import POLICY, a_command
from tests.helpers import run

T = TypeVar("T")

SECRET = b"a secret key of these tests"
CARLA, OTHER = 11, 12
NAME, EMAIL, EMAIL_2 = "Plugh Realty of Carla", "orders@plugh.example", "second@plugh.example"
USER, USER_EMAIL = "Adalbertine", "adalbertine@plugh.example"
STREET, CITY, CODE = "77 Zyzzyva Lane", "Quxville", "ACCESS-8642"
CONTACT, CONTACT_EMAIL, NOTES = "Wilhelmina Fnord", "fnord@zyzzyva.example", "the dog is called Grue"
IN_DIRECTORY = (NAME, EMAIL, EMAIL_2, USER, USER_EMAIL)
PERSONAL = (*IN_DIRECTORY, STREET, CITY, CODE, CONTACT, CONTACT_EMAIL, NOTES)
WHY = {"actor": "operator:olga", "reason": "asked for by letter", "request": "cmd_1"}


def a_directory() -> dict[str, Any]:
    """The example, with names that are found nowhere else."""
    content = example()
    content["clients"][0] |= {"name": NAME, "email": EMAIL, "additional_emails": [EMAIL_2]}
    content["users"][0] |= {"first_name": USER, "email": USER_EMAIL}
    return content


@dataclass
class Stores:
    """One process over the stores."""

    url: str
    events: EventLog
    keys: SqlKeyStore
    directory: SqlDirectory
    erasable: SqlErasableDirectory
    index: SqlPersonIndex
    search: PersonSearch
    pay_and_submit: PayAndSubmit
    clock: ManualClock

    @property
    def eraser(self) -> EraseClient:
        return EraseClient(self.events, self.keys, self.erasable, self.index, self.clock)

    async def erase(self, client_id: int = CARLA, **changes: str) -> Erasure:
        return await self.eraser(client_id, **{**WHY, **changes})

    async def order(self, client_id: int = CARLA, house: int = 77, **changes: Any) -> UUID:
        """An order that was placed, with everything personal in it."""
        outcome = await self.pay_and_submit(a_telling_command(client_id, house, **changes))
        assert outcome.order_id is not None, outcome
        return outcome.order_id

    async def take(self, content: dict[str, Any]) -> ImportReport:
        """Import a directory file."""
        read = read_import(json.dumps(content).encode(), datetime.now(UTC))
        await self.directory.check_import(read)
        return await self.directory.apply_import(read)

    async def log(self) -> list[tuple[Any, ...]]:
        """Every stored event, byte for byte."""
        found = await self.events.recorder.notifications(1, 10_000)
        return [(row.id, row.originator_id, row.originator_version, row.topic, bytes(row.state)) for row in found]

    def on_disk(self, *texts: str | bytes) -> set[str | bytes]:
        """Those of the texts that are somewhere in the database's files."""
        files = postgresql_files(self.url) if is_postgresql(self.url) else _sqlite_files(self.url)
        contents = [file.read_bytes() for file in files if file.is_file()]
        return {text for text in texts if any(_bytes(text) in content for content in contents)}


def a_telling_command(client_id: int = CARLA, house: int = 77, **changes: Any) -> Any:
    street = STREET.replace("77", str(house))
    access = {"access_code": CODE, "onsite_contact_name": CONTACT, "onsite_contact_email": CONTACT_EMAIL}
    personal = {
        "client": ClientRecord(client_id, NAME, EMAIL, (EMAIL_2,)) if client_id == CARLA else a_client(client_id),
        "property_info": {"address": {"street": street, "city": CITY, "province": "us_co", "postal_code": "01234"}},
        "property_access": access,
        "notes": NOTES,
    }
    return a_command(house, **{**personal, **changes})


def a_client(client_id: int) -> ClientRecord:
    return ClientRecord(client_id, f"Client {client_id}", f"orders@client-{client_id}.example", ())


def with_stores(database_url: str, use: Callable[[Stores], Awaitable[T]]) -> T:
    """Run `use` on stores with the directory of `a_directory`."""

    async def connected() -> T:
        async with opened(database_url) as stores:
            await stores.take(a_directory())
            return await use(stores)

    return run(connected())


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Stores]:
    """A process over stores that are made where they are missing."""
    await migrate(database_url)
    keys_url = database_url if is_postgresql(database_url) else database_url.replace(".db", "-keys.db")
    for url, create in (
        (database_url, create_directory),
        (keys_url, create_keys),
        (keys_url, person_index.create_tables),
    ):
        engine = make_engine(url)
        create(engine)
        engine.dispose()
    events = EventLog(open_recorder(database_url), CODEC)
    clock, ids, derived = ManualClock(), CountingIds(), DerivedIds(SECRET)
    keys = SqlKeyStore(make_engine(keys_url), SECRET)
    index = SqlPersonIndex(make_engine(keys_url))
    directory = SqlDirectory(make_engine(database_url), derived)
    erasable = SqlErasableDirectory(make_engine(database_url))
    streams, gateway = OrderStreams(events, clock), ScriptedGateway([])
    take_back = TakeBack(streams, Reversal(gateway, clock, ids, POLICY), clock, 5.0)
    ports = Ports(streams, take_back, gateway, ScriptedMailer([]), keys, derived, clock, ids, POLICY)
    search = PersonSearch(events, keys, index, PersonDigests(SECRET))
    try:
        yield Stores(database_url, events, keys, directory, erasable, index, search, PayAndSubmit(ports), clock)
    finally:
        await events.recorder.close()
        for store in (keys, index, directory, erasable):
            await store.close()


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _sqlite_files(url: str) -> list[Path]:
    return list(Path(url.removeprefix("sqlite:///")).parent.glob("*"))


def postgresql_files(url: str) -> list[Path]:
    """All that the server keeps of the database and of what its databases share, flushed; not its write-ahead log."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    data = Path(row[0])
    return [*(data / "base" / str(row[1])).glob("*"), *(data / "global").glob("*")]

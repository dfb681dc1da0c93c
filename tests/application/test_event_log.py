"""Facts about aggregates in the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from application.adapters.recorders import open_recorder
from application.adapters.recorders.memory import MemoryRecorder
from application.adapters.recorders.migrations import migrate
from application.event_codec import EventCodec, event_classes_of
from application.event_log import Conflict, EventLog
from domain.stream import EPOCH, Metadata, Stream
from tests.helpers import run

AT = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
ID, OTHER = uuid4(), uuid4()
METADATA = Metadata(AT, actor="user:11", correlation_id="req_1", causation_id="cmd_1")


class Account(Stream):
    class Created(Stream.Event):  # a name that eventsourcing uses for its own
        TOPIC = "account.created.v1"
        owner: str

        def apply(self, aggregate: Account) -> None:
            aggregate.owner = self.owner

    class Deposited(Stream.Event):
        TOPIC = "account.deposited.v1"
        cents: int

        def apply(self, aggregate: Account) -> None:
            aggregate.cents += self.cents

    def __init__(self) -> None:
        self.owner = ""
        self.cents = 0

    def open(self, owner: str) -> None:
        self.record(METADATA, self.Created, owner=owner)

    def deposit(self, cents: int) -> None:
        self.record(METADATA, self.Deposited, cents=cents)


class Lock(Stream):
    class Taken(Stream.Event):
        TOPIC = "lock.taken.v1"

    def take(self) -> None:
        self.record(METADATA, self.Taken)


def new_log() -> EventLog:
    return EventLog(MemoryRecorder(), EventCodec(event_classes_of(Account, Lock)))


def test_a_stream_that_was_never_seen_is_empty_at_version_0() -> None:
    async def fact() -> None:
        account, lock = await new_log().load((Account, ID), (Lock, OTHER))

        assert (account.id, account.version, account.created_on, account.cents) == (ID, 0, EPOCH, 0)
        assert isinstance(lock, Lock)
        assert not account.pending_events

    run(fact())


def test_what_is_saved_together_is_loaded_together(database_url: str) -> None:
    async def fact() -> None:
        await migrate(database_url)
        recorder = open_recorder(database_url)
        log = EventLog(recorder, EventCodec(event_classes_of(Account, Lock)))
        account, lock = Account.empty(ID), Lock.empty(OTHER)
        account.open("Ada")
        account.deposit(100)
        lock.take()

        position = await log.save(account, lock)
        again, lock_again = await log.load((Account, ID), (Lock, OTHER))

        assert again == account
        assert (again.owner, again.cents, again.version, again.modified_on) == ("Ada", 100, 2, AT)
        assert lock_again.version == 1
        assert position == await recorder.max_position()
        await recorder.close()

    run(fact())


def test_every_event_says_who_when_and_why() -> None:
    account = Account.empty(ID)
    account.deposit(1)
    (event,) = account.collect_events()
    assert isinstance(event, Account.Deposited)
    assert (event.timestamp, event.actor, event.correlation_id, event.causation_id) == (AT, "user:11", "req_1", "cmd_1")


def test_a_recorded_time_must_be_utc() -> None:
    for at in (datetime(2026, 11, 23, 12, 30), datetime.now(timezone(timedelta(hours=1)))):  # noqa: DTZ001
        with pytest.raises(AssertionError):
            Metadata(at, "user:11", "req_1", "req_1")


class CountingRecorder(MemoryRecorder):
    """Counts the round trips."""

    def __init__(self) -> None:
        super().__init__()
        self.trips = 0

    async def _turn(self) -> None:
        self.trips += 1
        await super()._turn()


def test_loading_and_saving_take_one_round_trip_each_and_nothing_to_save_takes_none() -> None:
    async def fact() -> None:
        recorder = CountingRecorder()
        log = EventLog(recorder, EventCodec(event_classes_of(Account, Lock)))
        account, lock, third = await log.load((Account, ID), (Lock, OTHER), (Lock, uuid4()))
        assert recorder.trips == 1

        assert await log.save(account, lock, third) == 0
        assert recorder.trips == 1

        account.deposit(1)
        lock.take()
        assert await log.save(account, lock, third) == 2
        assert recorder.trips == 2

    run(fact())


def test_who_loses_a_race_has_nothing_pending_and_decides_again() -> None:
    async def fact() -> None:
        log = new_log()
        (first,), (second,) = await log.load((Account, ID)), await log.load((Account, ID))
        lock = Lock.empty(OTHER)
        first.deposit(1)
        second.deposit(2)
        lock.take()
        await log.save(first)

        with pytest.raises(Conflict):
            await log.save(second, lock)
        assert await log.save(second, lock) == 0

        again, free = await log.load((Account, ID), (Lock, OTHER))
        assert (again.cents, free.version) == (1, 0)
        again.deposit(2)
        await log.save(again)
        assert (await log.load((Account, ID)))[0].cents == 3

    run(fact())


def test_a_stream_can_be_loaded_as_it_was_at_a_position() -> None:
    async def fact() -> None:
        log = new_log()
        account = Account.empty(ID)
        positions = []
        for _ in range(3):
            account.deposit(100)
            positions.append(await log.save(account))

        (then,) = await log.load((Account, ID), up_to=positions[1])

        assert (then.version, then.cents) == (2, 200)

    run(fact())


def test_the_history_of_a_stream_names_positions() -> None:
    async def fact() -> None:
        log = new_log()
        account, other = Account.empty(ID), Account.empty(OTHER)
        account.open("Ada")
        await log.save(account)
        other.open("Bob")
        await log.save(other)
        account.deposit(5)
        await log.save(account)

        history = await log.history(ID)

        assert [(position, type(event)) for position, event in history] == [
            (1, Account.Created),
            (3, Account.Deposited),
        ]
        assert await log.history(UUID(int=0)) == []

    run(fact())


def test_one_stream_is_not_loaded_as_two_aggregates_at_once() -> None:
    with pytest.raises(AssertionError):
        run(new_log().load((Account, ID), (Lock, ID)))

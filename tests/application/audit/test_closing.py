"""A month is closed when nothing stands in its way, and its books can be made again, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from api.closing import month_close
from api.read_models import LEDGER
from api.settings import Settings
from application.adapters.sql import make_engine
from application.audit.closing import CloseMonth, Closing, Reproduced, month_span
from application.operations import NotPossible
from domain.order import Order
from domain.period import Period
from domain.stream import Stream
from projections.dead_letters import skips
from projections.ledger import model
from projections.ledger.rules import Booked, Known, book
from projections.storage import dead_letters
from tests.application.audit.reconciliation.world import (
    ACTOR,
    SettlementWorld,
    no_progress,
    settlement_world,
)
from tests.helpers import run

WHY = {"actor": ACTOR, "reason": "looked into", "request": "cmd_test"}
DAY = timedelta(days=1)


@dataclass
class Month:
    """The month in which a test begins; the clock stands on its second day."""

    world: SettlementWorld
    run: CloseMonth
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.began:%Y-%m}"

    @property
    def began(self) -> datetime:
        return self.world.began

    @property
    def first(self) -> datetime:
        return month_span(self.name)[0]

    @property
    def following(self) -> datetime:
        return month_span(self.name)[1]

    async def sealed(self) -> None:
        """Given that everything until now is sealed."""
        sealer = self.world.world.service.sealing.sealer
        while await asyncio.to_thread(sealer.round):
            pass

    async def over(self, *, reconciled: bool = True) -> None:
        """Given the month after, five days in: reconciled and sealed."""
        self.move_to(self.following + 5 * DAY)
        if reconciled:
            await self.world.reconcile(first=self.first, last=self.following)
        await self.world.world.catch_up()
        await self.sealed()

    def move_to(self, moment: datetime) -> None:
        clock = self.world.world.clock
        clock.advance((moment - clock.now()).total_seconds())

    async def close(self, name: str | None = None) -> Closing:
        return await self.run.close(name or self.name, out=None, actor=ACTOR, request="cmd_close", progress=no_progress)

    async def reproduce(self, name: str | None = None) -> Reproduced:
        return await self.run.reproduce(name or self.name, out=self.folder / "again", progress=no_progress)


@asynccontextmanager
async def month(database_url: str, folder: Path) -> AsyncIterator[Month]:
    async with settlement_world(database_url) as world:
        start = (world.world.clock.now() + 31 * DAY).replace(day=2, hour=9)
        world.world.clock.advance((start - world.world.clock.now()).total_seconds())
        world.began = start
        with month_close(world.world.service) as close:
            yield Month(world, close, folder)


def closed(found: Closing) -> Period.Closed:
    assert found.period.closed is not None, found.unmet
    return found.period.closed


def test_a_month_is_closed_once_and_made_again_byte_for_byte_after_later_events(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with month(database_url, tmp_path) as this:
            orders = await this.world.charged(3)
            await this.world.settle(1)
            service = this.world.world.service
            await service.operations.refund(orders[0][0], **WHY)
            await this.world.settle(1)
            await this.over()
            head = await this.world.head()
            facts = closed(await this.close())
            assert (facts.cut_off_position, facts.tree_size, facts.actor) == (head, head, ACTOR)
            assert [each.format for each in facts.exports] == ["beancount", "csv", "hledger", "jsonl", "manifest"]
            assert facts.entries == 7  # three orders and their charges, a refund; what settled was imported later
            assert (await this.world.head(), closed(await this.close())) == (head + 1, facts)

            await this.world.charged(2)
            await this.sealed()
            again = await this.reproduce()
            assert (again.differences, again.books.exports) == ((), facts.exports)
            assert (this.folder / "again" / "journal.csv").read_text().count(f",{this.name},") > 0

            out = this.folder / "out"
            found = await this.run.close(this.name, out=out, actor=ACTOR, request="cmd_2", progress=no_progress)
            assert (found.again and found.again.differences) == ()
            assert (out / "journal.csv").read_bytes() == (this.folder / "again" / "journal.csv").read_bytes()

    run(test())


def changed(database_url: str, statement: str, **values: object) -> None:
    """Given that somebody has changed the log behind our back."""
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)
    engine.dispose()


def test_a_log_that_was_changed_since_is_not_reproduced(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with month(database_url, tmp_path) as this:
            await this.world.charged()
            await this.world.settle(1)
            await this.over()
            closed(await this.close())
            stored = await this.world.world.service.events.recorder.notifications(1, 1, [Order.PaymentCharged.TOPIC])
            state = bytes(stored[0].state).replace(b"18500", b"18400")
            update = "UPDATE stored_events SET state = :state WHERE notification_id = :position"
            changed(database_url, update, state=state, position=stored[0].id)
            found = await this.reproduce()
            assert found.differences[0] == "the log up to the cut-off is not what was sealed; see: orders audit verify"
            assert {"csv has other bytes", "manifest has other bytes"} < set(found.differences)

    run(test())


def in_seals(database_url: str, statement: str, **values: object) -> None:
    """Given that somebody has changed what lies in the tables of the seals."""
    changed(Settings(database_url=database_url).seals_url, "UPDATE " + seals_table(database_url) + statement, **values)


def seals_table(database_url: str) -> str:
    return "seals.checkpoints " if database_url.startswith("postgresql") else "checkpoints "


def test_a_closing_whose_seal_nobody_signed_is_not_reproduced(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with month(database_url, tmp_path) as this:
            await this.world.charged()
            await this.world.settle(1)
            await this.over()
            facts = closed(await this.close())
            forged = "SET note = replace(note, 'position=', 'position=1') WHERE tree_size = :size"
            in_seals(database_url, forged, size=facts.tree_size)
            found = await this.reproduce()
            assert found.differences == (
                "no seal that this key has signed bears the closing out; see: orders audit verify",
            )

    run(test())


@pytest.mark.parametrize("forged", ["SET root = :root", "SET root = :root, note = replace(note, '— ', '— x')"])
def test_a_log_whose_seal_was_changed_with_it_is_not_closed(database_url: str, tmp_path: Path, forged: str) -> None:
    async def test() -> None:
        async with month(database_url, tmp_path) as this:
            await this.world.charged()
            await this.world.settle(1)
            await this.over()
            update = "UPDATE stored_events SET topic = 'order.email-failed.v1' WHERE topic LIKE '%email-s%'"
            changed(database_url, update)
            head = await this.world.head()
            _, root = await this.run._sealed.recomputed(head, no_progress)
            in_seals(database_url, f"{forged} WHERE position = :head", root=bytes.fromhex(root), head=head)
            assert "orders audit verify" in named(await this.close())

    run(test())


# --- what stands in the way -------------------------------------------------------------------------------------------


def named(found: Closing) -> list[str]:
    """The next command of everything that stands in the way."""
    assert found.period.closed is None
    return [each.next_command for each in found.unmet]


def test_what_stands_in_the_way_is_named_with_the_next_command_until_nothing_does(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with month(database_url, tmp_path) as this:
            name = this.name
            ((_, charge),) = await this.world.charged()
            await this.world.plant("amount-differs", charge, amount_cents=100)
            await this.world.settle(1)
            assert named(await this.close()) == [f"orders audit close {name}"]  # it is not over

            this.move_to(this.following + 5 * DAY)
            first = this.first
            reconcile = f"orders audit reconcile --from {first:%Y-%m-%d} --to {this.following:%Y-%m-%d}"
            assert named(await this.close()) == [reconcile, "orders work"]

            found = await this.world.reconcile(first=first, last=this.following)
            assert named(await this.close()) == ["orders audit breaks list", "orders work"]
            await this.world.breaks.own(found.breaks[0].id, "olga", **WHY)
            assert named(await this.close()) == ["orders work"]
            await this.world.world.catch_up()
            await this.sealed()

            aside = {
                "projection": LEDGER.name, "generation": 1, "position": 1, "stream_id": found.breaks[0].id,
                "topic": "order.requested.v1", "error": "broken", "set_aside_at": this.began,
            }  # fmt: skip
            models = this.world.world.service.read_models
            place = next(place for place in models.following._targets if place.projection == LEDGER.name)
            engine = models.storage.writer(place)
            with engine.begin() as connection:
                connection.execute(dead_letters.insert().values(**{**aside, "generation": place.number}))
            assert named(await this.close()) == ["orders dead-letters list"]
            with engine.begin() as connection:
                connection.execute(dead_letters.delete())
            assert closed(await this.close()).owned_breaks == 1

    run(test())


def test_a_log_that_is_not_what_was_sealed_is_not_closed(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with month(sqlite_url, tmp_path) as this:
            await this.world.charged()
            await this.world.settle(1)
            await this.over()
            changed(sqlite_url, "DELETE FROM stored_events WHERE topic = 'order.email-sent.v1'")
            assert named(await this.close()) == ["orders audit verify"]

    run(test())


def test_months_are_closed_in_order_and_what_comes_too_late_is_booked_in_the_next(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with month(sqlite_url, tmp_path) as this:
            await this.world.charged()
            await this.world.settle(1)
            await this.over()
            first = closed(await this.close())
            this.move_to(this.following - DAY)  # a process whose clock stands in the closed month
            await this.world.charged()
            this.move_to(this.following + 6 * DAY)
            await this.world.settle()

            following = f"{this.following:%Y-%m}"
            _, end = month_span(following)
            after = f"{end:%Y-%m}"
            this.move_to(month_span(after)[1] + 5 * DAY)
            await this.world.reconcile(first=this.first, last=end)
            for late in await this.world.breaks.all():
                await this.world.breaks.resolve(late.id, **WHY)
            await this.world.world.catch_up()
            await this.sealed()
            assert named(await this.close(after)) == [f"orders audit close {following}"]
            second = closed(await this.close(following))
            assert (first.entries, second.entries) == (2, 3)  # the late order and its charge; what settled of the first
            assert (await this.reproduce()).differences == ()
            assert (await this.reproduce(following)).differences == ()

    run(test())


def test_the_first_month_to_close_is_that_of_the_first_booked_event(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with month(database_url, tmp_path) as this:
            await this.world.charged()
            await this.world.settle(1)
            await this.over()
            before = this.began.replace(day=1) - DAY
            after = month_span(this.name)[1]
            this.move_to(month_span(f"{after:%Y-%m}")[1] + 5 * DAY)
            for other in (before, after):
                assert named(await this.close(f"{other:%Y-%m}")) == [f"orders audit close {this.name}"]
            await this.sealed()
            closed(await this.close())

    run(test())


def test_a_month_with_money_that_a_person_skipped_is_not_closed(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with month(sqlite_url, tmp_path) as this:
            await this.world.charged(2)
            await this.world.settle(1)
            await this.over()
            log = this.world.world.service.events
            charge = (await log.recorder.notifications(1, 1, [Order.PaymentCharged.TOPIC]))[0]

            def broken(event: Stream.Event, known: Known) -> Booked | None:
                if isinstance(event, Order.PaymentCharged) and event.originator_id == charge.originator_id:
                    raise ValueError("broken")
                return book(event, known)

            monkeypatch.setattr(model, "book", broken)
            skip = {"stream_id": charge.originator_id, "actor": ACTOR, "reason": "known", "at": this.began}
            control = this.world.world.service.read_models.storage.control
            with control.begin() as connection:
                values = {"projection": LEDGER.name, "position": charge.id, **skip}
                connection.execute(skips.insert().values(**values))
            found = await this.close()
            assert named(found) == ["orders projections rebuild ledger"]
            assert f"position {charge.id} " in found.unmet[0].what
            monkeypatch.undo()
            assert closed(await this.close()).entries == 4  # the reason to skip it is gone

    run(test())


@pytest.mark.parametrize("name", ["2026-13", "2026-1", "october", "", "2026-10-01"])
def test_a_month_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(NotPossible, match="2026-10"):
        month_span(name)


def test_a_month_that_is_not_closed_cannot_be_reproduced(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with month(sqlite_url, tmp_path) as this:
            with pytest.raises(NotPossible, match=f"orders audit close {this.name}"):
                await this.reproduce()

    run(test())

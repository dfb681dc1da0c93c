"""The sealer follows the log, goes on after any crash, and never signs what does not extend what it has signed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from application.adapters.seals.covering import SqlSeals, read_status
from application.adapters.seals.files import NoteFile
from application.adapters.sql import make_engine
from application.adapters.system import SystemClock
from application.audit.seals import sealer as sealer_module
from application.audit.seals.leaf import Row
from application.audit.seals.sealed_tree import BATCH, MOST_UNDER_ONE_SEAL, RefusedToSeal, SealedTree
from application.audit.seals.sealer import Sealer
from application.audit.seals.storing import StoreFailed
from tests.application.audit.seals.world import World


def until(world: World, holds: Callable[[], bool], *sealers: Sealer, limit_s: float = 15.0) -> None:
    """Let the sealers run until it holds."""

    async def run() -> None:
        tasks = [asyncio.create_task(sealer.run()) for sealer in sealers]
        try:
            async with asyncio.timeout(limit_s):
                while not await asyncio.to_thread(holds):
                    await asyncio.sleep(0.02)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for sealer in sealers:
                await sealer.close()

    asyncio.run(run())


def all_sealed(world: World) -> bool:
    last = world.log.store.last()
    return last is not None and last.checkpoint.position == world.log.rows.head()


def tree(world: World) -> SealedTree:
    return SealedTree.load(world.log.store, world.log.file(), world.log.signer())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sealer that does not wait for more to come."""
    monkeypatch.setattr(sealer_module, "GATHER_S", 0.01)
    monkeypatch.setattr(sealer_module, "POLL_S", 0.02)
    monkeypatch.setattr(sealer_module, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(sealer_module, "REFUSED_RETRY_S", 0.05)
    monkeypatch.setattr(sealer_module, "RETRY_S", 0.02)


def test_a_running_sealer_follows_the_log(world: World, quick: None) -> None:
    world.ordered()
    until(world, lambda: all_sealed(world), world.sealer())
    world.ordered()
    until(world, lambda: all_sealed(world), world.sealer())
    report = world.verified()
    assert report.fine
    assert report.unsealed == 0
    assert world.log.file().key_path.read_text().strip() == world.log.signer().verifier.text
    assert world.alarms == []


def test_nothing_is_signed_while_nothing_is_new(world: World) -> None:
    world.sealed(1)
    before = world.log.file().path.read_bytes()
    assert world.seal() == 0
    assert world.log.file().path.read_bytes() == before


def test_at_most_500_events_come_under_one_seal(world: World) -> None:
    many = [(number, "s", number, "t", b"{}") for number in range(1, BATCH + 201)]
    rows = Rows(many)
    growing = tree(world)
    assert growing.add(rows.after(0, BATCH), SystemClock())
    assert growing.add(rows.after(BATCH, BATCH), SystemClock())
    sizes = [seal.checkpoint.tree_size for seal in world.log.store.seals(0, 1000)]
    assert sizes == [*range(MOST_UNDER_ONE_SEAL, BATCH + 1, MOST_UNDER_ONE_SEAL), BATCH + 200]
    tree(world)  # does not raise: what is stored gives the root


def test_a_sealer_that_died_between_database_and_file_goes_on(world: World) -> None:
    world.sealed(1)
    world.ordered()
    died = tree(world)
    assert died.add(died.rows_after(world.log.rows), SystemClock())  # and publishes no more
    assert len(world.notes()) == 1
    assert world.verified().fine  # the file may be behind

    world.ordered()
    world.seal()
    assert len(world.notes()) == 3
    assert world.verified().fine


@pytest.mark.parametrize("left", [1, 30, 250])
def test_a_note_that_was_cut_short_is_written_again(world: World, left: int) -> None:
    world.sealed(2)
    path = world.log.file().path
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + left])
    world.ordered()
    world.seal()
    assert len(world.notes()) == 3
    assert world.verified().fine


def test_a_file_that_is_lost_is_written_again(world: World) -> None:
    world.sealed(3)
    before = world.notes()
    world.log.file().path.unlink()
    world.seal()
    assert world.notes() == before


def test_of_two_sealers_only_one_adds_to_the_same_tree(world: World) -> None:
    world.sealed(1)
    world.ordered()
    first, second = tree(world), tree(world)
    rows = first.rows_after(world.log.rows)
    assert first.add(rows, SystemClock())
    assert not second.add(rows, SystemClock())
    first.publish()
    assert world.verified().fine


def test_several_sealers_at_once_make_one_history(world: World, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.log.store, "lead", lambda owner, lease_s: True)  # leases save work, they guard nothing
    sealers = [world.sealer(f"sealer-{number}") for number in range(3)]
    grown = 0

    def growing() -> bool:
        nonlocal grown
        if grown < 5:
            world.ordered(1)
            grown += 1
        return grown == 5 and all_sealed(world)

    until(world, growing, *sealers)
    report = world.verified()
    assert report.fine
    assert report.checkpoints == len(world.notes())
    assert world.alarms == []


def test_a_lease_keeps_one_sealer_at_work_and_is_given_back(world: World) -> None:
    store = world.log.store
    assert store.lead("a", 60)
    assert not store.lead("b", 60)
    store.step_down("a")
    assert store.lead("b", 60)


def damages() -> list[Any]:
    return [
        pytest.param(lambda world: world.edit(world.positions()[-1]), id="the last event was edited"),
        pytest.param(lambda world: world.delete(world.positions()[-1]), id="the tail was cut"),
        pytest.param(lambda world: world.execute("DELETE FROM stored_events"), id="the log was emptied"),
        pytest.param(
            lambda world: world.execute("UPDATE seals.checkpoints SET hashes = ?", b"h" * 960, seals=True),
            id="stored hashes were changed",
        ),
        pytest.param(
            lambda world: world.execute("UPDATE seals.checkpoints SET note = 'n'", seals=True), id="notes were changed"
        ),
        pytest.param(
            lambda world: world.execute("DELETE FROM seals.checkpoints", seals=True), id="the database lost its seals"
        ),
        pytest.param(
            lambda world: world.log.file().path.write_text(world.notes()[0].replace("\n—", "\n— x")),
            id="the file was changed",
        ),
    ]


@pytest.mark.parametrize("damage", damages())
def test_a_sealer_refuses_what_does_not_extend_the_last_seal(world: World, damage: Callable[[World], None]) -> None:
    world.sealed(2)
    damage(world)
    sealed = world.log.store.last()
    with pytest.raises(RefusedToSeal):
        world.seal()
    world.ordered()
    with pytest.raises(RefusedToSeal):
        world.seal()
    assert world.log.store.last() == sealed


def test_a_backup_without_its_last_seals_is_refused(world: World) -> None:
    world.sealed(1)
    restore = world.backup(seals=True)
    world.sealed(1)
    restore()
    world.ordered(4)
    with pytest.raises(RefusedToSeal, match="old backup"):
        world.seal()


def test_a_refusal_is_told_once_kept_for_all_to_see_and_ends_when_it_is_repaired(world: World, quick: None) -> None:
    world.sealed(1)
    at = world.positions()[-1]
    row = world.row(at)
    world.delete(at)
    until(world, lambda: read_status(world.log.store).problem is not None and bool(world.alarms), world.sealer())
    assert len(world.alarms) == 1
    assert f"position {at}" in world.alarms[0]
    assert read_status(world.log.store).problem == world.alarms[0]

    world.put(at, row)
    until(world, lambda: read_status(world.log.store).problem is None, world.sealer())
    assert world.verified().fine


def test_a_sealer_whose_disk_fails_catches_up_later(world: World, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ordered()
    fails = 3
    append = NoteFile.append

    def failing(self: NoteFile, notes: Sequence[str]) -> None:
        nonlocal fails
        if fails:
            fails -= 1
            raise OSError(28, "No space left on device")
        append(self, notes)

    monkeypatch.setattr(NoteFile, "append", failing)
    until(world, lambda: all_sealed(world) and len(world.notes()) > 0, world.sealer())
    assert world.verified().fine
    assert world.alarms == []


def test_a_database_that_cannot_be_reached_is_tried_again(world: World, quick: None) -> None:
    world.ordered()
    rows = Rows(world.log.rows.after(0, 1000), fails=2)
    until(world, lambda: all_sealed(world), world.sealer(rows=rows))
    assert world.alarms == []


def test_readers_learn_the_earliest_seal_over_an_event(world: World) -> None:
    world.sealed(3)
    world.ordered(1)

    async def asked() -> None:
        seals = SqlSeals(make_engine(world.settings.seals_url))
        try:
            positions = world.positions()
            found = await seals.covering(positions)
            heads = [seal.checkpoint for seal in world.log.store.seals(0, 10)]
            for position in positions:
                covering = [head for head in heads if head.position >= position]
                if not covering:
                    assert position not in found
                    continue
                seal, head = found[position], covering[0]
                assert (seal.tree_size, seal.position, seal.root_hash) == (
                    head.tree_size, head.position, head.root.hex(),
                )  # fmt: skip
                assert seal.sealed_at == head.sealed_at
            assert (await seals.status()).last == heads[-1]
        finally:
            await seals.close()

    asyncio.run(asked())


def test_two_logs_have_two_names_and_two_files(world: World, tmp_path: Path) -> None:
    world.sealed(1)
    assert str(world.log.store.log_id) in world.notes()[0]
    assert world.log.file().path.parent.name == str(world.log.store.log_id)


class Rows:
    """A log that was read before, and that may fail a few times."""

    def __init__(self, rows: Sequence[Row], fails: int = 0) -> None:
        self._rows = rows
        self._fails = fails

    def after(self, position: int, limit: int) -> Sequence[Row]:
        if self._fails:
            self._fails -= 1
            raise StoreFailed("OperationalError")
        return [row for row in self._rows if row[0] > position][:limit]

    def head(self) -> int:
        return self._rows[-1][0]

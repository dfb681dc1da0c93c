"""Whatever is done to a sealed log behind the product's back is named, with the first position that is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from application.adapters.seals.files import name_of_database
from application.adapters.seals.tables import create_tables
from application.adapters.sql import make_engine
from application.audit.seals.leaf import Row
from application.audit.seals.sealed_tree import RefusedToSeal
from application.audit.seals.verifying import verify
from tests.application.audit.seals.world import World, opened_world


def test_a_log_that_nobody_touched_is_fine(world: World) -> None:
    world.sealed()
    report = world.verified()
    assert report.fine
    assert (report.events, report.unsealed, report.checkpoints) == (len(world.positions()), 0, 4)


def test_events_that_are_not_sealed_yet_are_no_fault(world: World) -> None:
    world.sealed(2)
    world.ordered(1)
    report = world.verified()
    assert report.fine
    assert report.unsealed > 0


def test_what_is_sealed_while_a_verification_runs_is_no_fault(world: World) -> None:
    world.sealed(2)

    class Growing:
        """Its last page is read, then new orders come in and are sealed."""

        head_then = world.log.rows.head()

        def after(self, position: int, limit: int) -> Sequence[Row]:
            found = world.log.rows.after(position, limit)
            if self.head() == self.head_then:
                world.sealed(1)
            return [row for row in found if row[0] <= self.head_then]

        def head(self) -> int:
            return world.log.rows.head()

    log = world.log
    assert verify(Growing(), log.store, log.file(), log.signer().verifier).fine


def test_an_edited_event_is_named(world: World) -> None:
    world.sealed()
    at = world.positions()[17]
    world.edit(at)
    assert world.found() == [("edited", at)]


@pytest.mark.parametrize(
    "change",
    [
        "topic = 'order.submitted.v2'",
        "originator_version = 77",
        "originator_id = '00000000-0000-0000-0000-00000000002a'",
    ],
)
def test_a_change_of_any_column_is_named(world: World, change: str) -> None:
    world.sealed(2)
    at = world.positions()[5]
    world.execute(f"UPDATE stored_events SET {change} WHERE notification_id = ?", at)
    assert world.found() == [("edited", at)]


def test_the_first_of_many_changes_is_named(world: World) -> None:
    world.sealed()
    for place in (30, 12, 40):
        world.edit(world.positions()[place])
    assert world.found() == [("edited", world.positions()[12])]


def test_a_deleted_event_is_named(world: World) -> None:
    world.sealed()
    at = world.positions()[20]
    world.delete(at)
    assert world.found() == [("deleted", at)]


def test_a_deleted_event_is_named_also_where_later_ones_moved_up(world: World) -> None:
    world.sealed()
    positions = world.positions()
    rows = [world.row(at) for at in positions[20:]]
    for at in positions[20:]:
        world.delete(at)
    for at, row in zip(positions[20:], rows[1:], strict=False):
        world.put(at, row)
    assert world.found() == [("deleted", positions[20])]


def test_events_that_changed_places_are_named(world: World) -> None:
    world.sealed()
    positions = world.positions()
    world.swap(positions[8], positions[35])
    assert world.found() == [("reordered", positions[8])]


def test_an_inserted_event_is_named(world: World) -> None:
    world.ordered()
    gap = world.positions()[10]
    row = world.row(gap)
    world.delete(gap)
    world.sealed(3)
    world.put(gap, row)
    assert world.found() == [("inserted", gap)]


def test_an_inserted_event_before_all_others_is_named(world: World) -> None:
    world.sealed(2)
    row = world.row(world.positions()[3])
    world.put(-5, (*row[:1], 99, *row[2:]))
    assert world.found() == [("inserted", -5)]


@pytest.mark.parametrize("events", [1, 3, 60])
def test_a_cut_tail_is_named(world: World, events: int) -> None:
    world.sealed()
    gone = world.positions()[-events:]
    for at in gone:
        world.delete(at)
    assert world.found() == [("cut-tail", gone[0])]


def test_a_log_that_was_emptied_is_named(world: World) -> None:
    world.sealed(2)
    first = world.positions()[0]
    world.execute("DELETE FROM stored_events")
    assert world.found() == [("cut-tail", first)]


def test_an_old_backup_with_its_seals_is_named_by_the_file(world: World) -> None:
    world.sealed(2)
    restore = world.backup(seals=True)
    last = world.positions()[-1]
    world.sealed(2)
    restore()
    assert world.found() == [("restored-old-backup", last + 1)]


def test_an_old_backup_of_everything_is_named_by_a_checkpoint_that_somebody_kept(world: World) -> None:
    world.sealed(2)
    restore, last = world.backup(seals=True), world.positions()[-1]
    copy = world.log.file().path.read_bytes()
    world.sealed(2)
    kept = world.notes()[-1]
    restore()
    world.log.file().path.write_bytes(copy)

    assert world.verified().fine  # nothing that is left here knows better
    assert world.found([kept]) == [("restored-old-backup", last + 1)]


def test_an_old_backup_is_named_also_after_new_orders_were_sealed(world: World) -> None:
    world.sealed(2)
    restore = world.backup(seals=True)
    last, early = world.positions()[-1], world.notes()[-1]
    copy = world.log.file().path.read_bytes()
    world.sealed(2)
    late = world.notes()[-1]
    restore()
    world.log.file().path.write_bytes(copy)
    world.sealed(4)

    assert world.verified().fine
    assert world.found([early]) == []
    assert world.found([early, late]) == [("restored-old-backup", last + 1)]


def test_an_old_backup_of_the_log_alone_is_named_after_new_orders_took_its_place(world: World) -> None:
    world.sealed(2)
    restore, first_lost = world.backup(seals=False), world.positions()[-1] + 1
    world.sealed(2)
    positions = [at for at in world.positions() if at >= first_lost]
    restore()
    source = world.positions()
    for place, at in enumerate(positions):
        row = world.row(source[place])
        world.put(at, (*row[:1], 1000 + place, *row[2:]))
    assert world.found() == [("restored-old-backup", first_lost)]


def test_a_changed_log_whose_stored_hashes_were_changed_too_is_found_up_to_the_seal(world: World) -> None:
    world.sealed()
    before, at = world.positions()[-1], len(world.positions())
    world.ordered()
    world.seal()
    changed = world.positions()[at + 4]
    world.edit(changed)
    (last,) = world.execute("SELECT max(tree_size) FROM seals.checkpoints", seals=True)
    world.execute("UPDATE seals.checkpoints SET hashes = ? WHERE tree_size = ?", b"\x00" * 960, last[0], seals=True)
    (finding,) = world.verified().findings
    assert (finding.kind, finding.position, finding.up_to) == ("changed", before + 1, world.positions()[-1])


@pytest.mark.parametrize("column", ["hashes", "positions"])
def test_altered_leaves_of_a_true_log_are_told_from_an_altered_log(world: World, column: str) -> None:
    world.sealed()
    ((size, value),) = world.execute(
        f"SELECT tree_size, {column} FROM seals.checkpoints ORDER BY tree_size LIMIT 1", seals=True
    )
    world.execute(
        f"UPDATE seals.checkpoints SET {column} = ? WHERE tree_size = ?", b"\x01" + bytes(value)[1:], size, seals=True
    )
    assert world.found() == [("seals-altered", world.positions()[0])]


@pytest.mark.parametrize("change", ["root = ?", "note = ?", "hashes = ?"])
def test_any_altered_column_of_a_checkpoint_is_found(world: World, change: str) -> None:
    world.sealed()
    value = "nonsense" if change.startswith("note") else b"n" * 32
    world.execute(f"UPDATE seals.checkpoints SET {change}", value, seals=True)
    assert {kind for kind, _ in world.found()} == {"seals-altered"}


def test_a_checkpoint_that_is_gone_from_database_or_file_is_found(world: World) -> None:
    world.sealed()
    note = world.notes()[1]
    world.execute("DELETE FROM seals.checkpoints WHERE note = ?", note, seals=True)
    assert {kind for kind, _ in world.found()} == {"seals-altered"}
    world.log.file().path.write_text("\n".join(other for other in world.notes() if other != note))
    assert {kind for kind, _ in world.found()} == {"seals-altered"}  # the leaves under it are still missing


def test_a_changed_note_in_the_file_is_found(world: World) -> None:
    world.sealed()
    path = world.log.file().path
    path.write_text(path.read_text().replace("position=", "position=1", 1))
    assert [kind for kind, _ in world.found()] == ["seals-altered"]


def test_seals_that_were_begun_anew_are_found_by_a_checkpoint_that_somebody_kept(world: World) -> None:
    world.sealed(2)
    kept = world.notes()[-1]
    world.edit(world.positions()[5])
    for table in ("checkpoints", "nodes"):
        world.execute(f"DELETE FROM seals.{table}", seals=True)
    new_id = "0" * 31 + "7"
    world.execute("UPDATE seals.sealed_logs SET log_id = ?", new_id, seals=True)
    world.log.store.__dict__.pop("log_id")
    shutil.rmtree(world.settings.seals_folder)
    world.seal()
    assert world.verified().fine
    assert world.found([kept]) == [("seals-altered", 1)]


def test_text_in_the_place_of_bytes_is_an_edit(world: World) -> None:
    if world.on_postgresql:
        return  # its columns have types
    world.sealed(2)
    at = world.positions()[3]
    world.execute("UPDATE stored_events SET state = CAST(state AS TEXT) WHERE notification_id = ?", at)
    assert world.found() == [("edited", at)]
    world.execute("UPDATE stored_events SET topic = CAST(x'fffe' AS TEXT) WHERE notification_id = ?", at)
    assert world.found() == [("edited", at)]


def begun_anew(world: World) -> None:
    """Given somebody with every right in the database, and none to the files: an edited log without its seals."""
    world.edit(world.positions()[5])
    if world.on_postgresql:
        world.execute("DROP SCHEMA seals CASCADE")
    else:
        for table in ("checkpoints", "nodes", "sealed_logs"):
            world.execute(f"DELETE FROM {table}", seals=True)
    engine = make_engine(world.settings.seals_url)
    create_tables(engine)  # as the next start does
    engine.dispose()
    world.log.store.__dict__.pop("log_id")


def test_a_log_that_lost_its_seals_is_not_signed_again_and_the_files_of_before_are_named(world: World) -> None:
    world.sealed(2)
    sealed = world.log.signer().name
    begun_anew(world)
    with pytest.raises(RefusedToSeal, match=sealed):
        world.seal()
    (finding,) = world.verified().findings
    assert (finding.kind, finding.position) == ("seals-altered", 1)
    assert sealed in finding.text
    assert not world.verified().fine


def test_seals_that_were_copied_from_another_log_of_the_key_are_found(world: World, tmp_path: Path) -> None:
    world.sealed(2)
    with opened_world(f"sqlite:///{tmp_path}/elsewhere.db", tmp_path) as other:  # it shares the folder
        other.sealed(1)
        assert other.verified().fine
        world.execute("UPDATE seals.sealed_logs SET log_id = ?", other_id(world, other), seals=True)
    world.log.store.__dict__.pop("log_id")
    with pytest.raises(RefusedToSeal, match="signed for this database before"):
        world.seal()


def other_id(world: World, other: World) -> str:
    log_id = other.log.store.log_id
    return str(log_id) if world.on_postgresql else log_id.hex


def test_sealing_begins_anew_once_the_folder_of_before_was_moved_away(world: World, tmp_path: Path) -> None:
    world.sealed(2)
    old = world.log.file().path.parent
    begun_anew(world)
    old.rename(tmp_path / "seals-before")
    world.seal()
    assert world.verified().fine


def test_a_database_is_known_by_its_name_whoever_signs_in() -> None:
    names = [
        name_of_database(url)
        for url in ("postgresql://a:secret@db.example/orders", "postgresql+psycopg://b@db.example:5432/orders?x=1")
    ]
    assert names == ["postgresql db.example 5432 orders"] * 2
    assert name_of_database("postgresql:///orders?host=/run") == "postgresql /run 5432 orders"
    assert name_of_database("sqlite:///var/../orders.db") == f"sqlite {Path('orders.db').resolve()}"

"""A bundle is checked by its own script, in a process that knows nothing of us; whatever is changed is found."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from application.audit.seals.bundle import VERIFIER, NotExported, NotSealedYet, SealsBroken, export
from application.audit.seals.leaf import Row, leaf_hash
from application.audit.seals.merkle import CompactRange
from application.audit.seals.spans import recorded_between
from tests.application.audit.seals.world import World
from tests.projections.histories import START

Parts = dict[str, bytes]


def checked(bundle: Path, *key: str) -> tuple[int, str]:
    """What the script says, without any of our packages in its way."""
    script = bundle.with_name("verify_bundle.py")
    with zipfile.ZipFile(bundle) as archive:
        script.write_bytes(archive.read("verify_bundle.py"))
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(bundle), *key], capture_output=True, text=True, cwd=bundle.parent
    )
    return done.returncode, done.stdout + done.stderr


def exported(world: World, folder: Path, *places: int, order: str | None = None) -> Path:
    """Of the events at these places, or of those of an order and what stands at these places."""
    positions = world.positions()
    wanted = {positions[place] for place in places}
    rows = [row for row in world.log.rows.after(0, 10_000) if row[0] in wanted or row[1] == order]
    out = folder / "bundle.zip"
    export(out, "some events", lambda: iter(rows), world.log.store, world.log.signer().verifier, order)
    return out


def rewritten(bundle: Path, change: Callable[[Parts], None], *, manifest: bool = True) -> Path:
    """The same bundle with changed parts, and a manifest that was made to fit."""
    with zipfile.ZipFile(bundle) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    if manifest:
        about = json.loads(parts["manifest.json"])
        for name in about["parts"]:
            about["parts"][name]["sha256"] = sha256(parts.get(name, b"")).hexdigest()
        parts["manifest.json"] = json.dumps(about).encode()
    changed = bundle.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return changed


def of_event(number: int, change: Callable[[dict[str, Any]], None]) -> Callable[[Parts], None]:
    def changed(parts: Parts) -> None:
        events = [json.loads(line) for line in parts["events.jsonl"].splitlines()]
        change(events[number])
        parts["events.jsonl"] = b"".join(json.dumps(event).encode() + b"\n" for event in events)

    return changed


def edited(event: dict[str, Any]) -> None:
    state = base64.b64decode(event["state"]).replace(b"0", b"9", 1)
    event.update(state=base64.b64encode(state).decode(), decoded=json.loads(state))


@pytest.fixture
def bundle(world: World, tmp_path: Path) -> Path:
    world.sealed(4, orders=2)
    return exported(world, tmp_path, *range(5, 29))


def test_the_script_is_one_page_and_finds_a_true_bundle_fine(world: World, bundle: Path) -> None:
    assert len(VERIFIER.read_text().splitlines()) <= 60
    code, said = checked(bundle)
    assert (code, said.startswith("fine: some events: 24 events, a span without a gap")) == (0, True)
    key = world.log.signer().verifier.text
    assert key in said
    assert checked(bundle, key)[0] == 0
    assert "not the one that you know" in checked(bundle, key.replace("pay", "say"))[1]


def test_whatever_is_changed_in_a_bundle_is_found(bundle: Path) -> None:
    def later_checkpoint(parts: Parts) -> None:
        parts["latest.txt"], parts["sealed.txt"] = parts["sealed.txt"], parts["latest.txt"]

    changes: list[tuple[str, Callable[[Parts], None]]] = [
        ("position", of_event(1, edited)),
        ("position", of_event(2, lambda event: event.update(topic="order.submitted.v2"))),
        ("position", of_event(2, lambda event: event.update(version=9))),
        ("", of_event(3, lambda event: event.update(index=event["index"] - 1))),
        ("", of_event(0, lambda event: event.update(proof=event["proof"][1:]))),
        ("decoded", of_event(0, lambda event: event["decoded"].update(actor="user:2"))),
        ("InvalidSignature", lambda parts: parts.update({"sealed.txt": parts["sealed.txt"].replace(b"=2", b"=3")})),
        ("another key", lambda parts: parts.update({"latest.txt": parts["latest.txt"].replace(b"pay", b"say")})),
        ("", lambda parts: parts.update({"consistency.json": b"[]"})),
        ("", later_checkpoint),
        ("too many", lambda parts: parts.update({"more.txt": b""})),
        ("missing", lambda parts: parts.__delitem__("sealed.txt")),
    ]
    for says, change in changes:
        code, said = checked(rewritten(bundle, change))
        assert code == 1, said
        assert said.startswith("WRONG: ")
        assert says in said


def test_a_part_that_the_manifest_does_not_know_so_is_named(bundle: Path) -> None:
    changed = rewritten(bundle, of_event(0, edited), manifest=False)
    assert checked(changed) == (1, "WRONG: events.jsonl is not what the manifest says\n")


def test_the_same_events_make_the_same_bytes(world: World, bundle: Path, tmp_path: Path) -> None:
    before = bundle.read_bytes()
    assert exported(world, tmp_path, *range(5, 29)).read_bytes() == before


def without(number: int, *, counted: bool = False) -> Callable[[Parts], None]:
    """Leave an event out; the manifest may be made to fit."""

    def changed(parts: Parts) -> None:
        lines = parts["events.jsonl"].splitlines(keepends=True)
        del lines[number]
        parts["events.jsonl"] = b"".join(lines)
        if counted:
            about = json.loads(parts["manifest.json"])
            parts["manifest.json"] = json.dumps(about | {"events": len(lines)}).encode()

    return changed


def twice(parts: Parts) -> None:
    lines = parts["events.jsonl"].splitlines(keepends=True)
    parts["events.jsonl"] = b"".join([lines[0], *lines])


def test_an_event_that_was_left_out_of_a_span_is_missed(bundle: Path) -> None:
    for change in (without(3), without(3, counted=True), without(-1)):
        code, said = checked(rewritten(bundle, change))
        assert (code, said.startswith("WRONG: events are missing ")) == (1, True), said
    assert checked(rewritten(bundle, twice))[0] == 1


def test_an_event_that_was_left_out_of_an_order_is_missed(world: World, tmp_path: Path) -> None:
    world.sealed(2, orders=2)
    rows = world.log.rows.after(0, 100)
    order = next(row[1] for row in rows if row[3] == "order.requested.v1")
    others = [place for place, row in enumerate(rows) if row[1] != order][:2]
    whole = exported(world, tmp_path, *others, order=order)
    events = [json.loads(line) for line in zipfile.ZipFile(whole).read("events.jsonl").splitlines()]
    own = [number for number, event in enumerate(events) if event["stream_id"] == order]
    code, said = checked(whole)
    assert (code, f"order {order} up to its version {len(own)}, " in said) == (0, True), said
    for number in own[:-1]:
        code, said = checked(rewritten(whole, without(number, counted=True)))
        assert (code, " of the order is missing" in said) == (1, True), said
    code, said = checked(rewritten(whole, without(own[-1], counted=True)))
    assert (code, f"up to its version {len(own) - 1}, " in said) == (0, True)  # the end that it names is an earlier one


@pytest.mark.parametrize("column", ["root", "note", "hashes"])
def test_what_a_changed_seal_would_prove_is_not_exported(world: World, tmp_path: Path, column: str) -> None:
    """Somebody edits an event and what is stored of its leaf; only the signed root is out of reach."""
    world.sealed(1)
    world.edit(world.positions()[4])
    rows = world.log.rows.after(0, 10_000)
    hashes = b"".join(leaf_hash(row) for row in rows)
    edge = CompactRange()
    edge.extend([leaf_hash(row) for row in rows])
    world.execute("UPDATE seals.checkpoints SET hashes = ?", hashes, seals=True)
    if column == "root":
        world.execute("UPDATE seals.checkpoints SET root = ?", edge.root(), seals=True)
    if column == "note":
        note = world.notes()[0].replace("position=", "position=1")
        world.execute("UPDATE seals.checkpoints SET note = ?", note, seals=True)
    with pytest.raises(SealsBroken):
        exported(world, tmp_path, 3, 4)


def test_an_event_that_is_gone_from_the_log_is_missed_by_the_export(world: World, tmp_path: Path) -> None:
    world.sealed(2)
    order = next(row[1] for row in world.log.rows.after(0, 100) if row[3] == "order.requested.v1")
    own = [row[0] for row in world.log.rows.after(0, 100) if row[1] == order]
    world.delete(own[1])
    with pytest.raises(SealsBroken, match="is gone before position"):
        exported(world, tmp_path, *range(10))
    with pytest.raises(SealsBroken, match=f"of the order is gone before position {own[2]};"):
        exported(world, tmp_path, order=order)
    assert list(tmp_path.glob("*bundle*")) == []


def test_the_last_event_and_a_single_seal_can_be_exported(world: World, tmp_path: Path) -> None:
    world.sealed(1)
    assert checked(exported(world, tmp_path, len(world.positions()) - 1))[0] == 0


def test_what_is_not_sealed_yet_is_not_exported(world: World, tmp_path: Path) -> None:
    world.sealed(1)
    world.ordered()
    with pytest.raises(NotSealedYet):
        exported(world, tmp_path, len(world.positions()) - 1)
    assert list(tmp_path.glob("*bundle*")) == []


def test_what_was_changed_is_not_exported(world: World, tmp_path: Path) -> None:
    world.sealed(2)
    world.edit(world.positions()[4])
    with pytest.raises(SealsBroken, match=f"position {world.positions()[4]} "):
        exported(world, tmp_path, 3, 4)
    assert list(tmp_path.glob("*bundle*")) == []


def test_a_time_has_the_events_that_were_recorded_in_it(world: World, tmp_path: Path) -> None:
    world.sealed(2)

    def between(start: datetime, end: datetime) -> Iterator[Row]:
        return recorded_between(world.log.rows, start, end, lambda _: None)()

    assert len(list(between(START, START + timedelta(days=1)))) == len(world.positions())
    assert list(between(START - timedelta(days=1), START)) == []
    second = START + timedelta(seconds=1)
    some = [json.loads(row[-1])["timestamp"] for row in between(second, second + timedelta(seconds=1))]
    assert some
    assert {datetime.fromisoformat(text) for text in some} == {second}
    with pytest.raises(NotExported, match="no such events"):
        export(
            tmp_path / "b.zip", "x", lambda: between(datetime(2020, 1, 1, tzinfo=UTC), START),
            world.log.store, world.log.signer().verifier,
        )  # fmt: skip

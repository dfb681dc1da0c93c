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

from application.audit.seals.bundle import VERIFIER, NotExported, NotSealedYet, SealsBroken, export, recorded_between
from application.audit.seals.leaf import Row
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


def exported(world: World, folder: Path, *places: int) -> Path:
    positions = world.positions()
    rows = [row for row in world.log.rows.after(0, 10_000) if row[0] in {positions[place] for place in places}]
    out = folder / "bundle.zip"
    export(out, "some events", lambda: iter(rows), world.log.store, world.log.signer().verifier)
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
    return exported(world, tmp_path, 0, 7, 8, 23)


def test_the_script_is_one_page_and_finds_a_true_bundle_fine(world: World, bundle: Path) -> None:
    assert len(VERIFIER.read_text().splitlines()) <= 60
    code, said = checked(bundle)
    assert (code, said.startswith("fine: some events: 4 events")) == (0, True)
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
    assert exported(world, tmp_path, 0, 7, 8, 23).read_bytes() == before


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

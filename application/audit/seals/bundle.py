"""Events with the proof that they were sealed, in one file for somebody who has no access to us.

Either all that was recorded in a span of positions, or one order's events from its first on, with what was recorded for
it elsewhere. A zip of: events.jsonl (each stored event, decoded beside it, with its inclusion proof), sealed.txt (the
first checkpoint over all of them), latest.txt (the newest), consistency.json (the proof that the newest extends the
other), public-key.txt, verify_bundle.py, and manifest.json with the SHA-256 of each. Personal data stays encrypted.
"""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from application.audit.seals.checkpoint import Checkpoint, NotACheckpoint, Verifier
from application.audit.seals.leaf import Row, leaf_hash
from application.audit.seals.merkle import consistency_proof, inclusion_proof, is_consistent, root_from_inclusion
from application.audit.seals.nodes import Nodes
from application.audit.seals.storing import SealStore, StoredSeal

FORMAT = "pay-and-submit audit bundle, version 2"
MOST_EVENTS = 200_000  # about 300 MB to the verifier, which takes them all in
VERIFIER = Path(__file__).with_name("verify_bundle.py")
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same events make the same bytes

Select = Callable[[], Iterator[Row]]
"""Gives the wanted events by position; called more than once."""


class NotExported(Exception):
    """Nothing was written; says why, and what to do."""


class NotSealedYet(NotExported):
    """Some of the events are not under a seal yet: soon they will be."""


class SealsBroken(NotExported):
    """The log or the stored tree is not what was sealed."""


@dataclass(frozen=True)
class Bundle:
    """What was written."""

    events: int
    sealed: Checkpoint
    latest: Checkpoint
    sha256: str  # of the file


def export(
    out: Path, what: str, select: Select, store: SealStore, verifier: Verifier, order: str | None = None
) -> Bundle:
    """Write the bundle of the selected events: of a span, or of the order with that stream id.

    Raises NotExported, StoreFailed and OSError.
    """
    last_position, count = _extent(select())
    seal, latest = store.covering(last_position), store.last()
    if seal is None or latest is None:
        raise NotSealedYet("the last of these events is not sealed yet: try again in a second, or start orders serve")
    sealed, newest = _signed(seal, verifier), _signed(latest, verifier)
    nodes = Nodes(store, newest.tree_size)
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            parts = _Parts(archive)
            parts.add("events.jsonl", _events(_complete(select(), order), sealed, store, nodes, span=order is None))
            parts.add("sealed.txt", [seal.note.encode()])
            parts.add("latest.txt", [latest.note.encode()])
            parts.add("consistency.json", [_consistency(nodes, sealed, newest)])
            parts.add("public-key.txt", [f"{verifier.text}\n".encode()])
            parts.add("verify_bundle.py", [VERIFIER.read_bytes()])
            parts.finish({"format": FORMAT, "what": what, "log": verifier.name, "order": order, "events": count})
        digest = sha256(unfinished.read_bytes()).hexdigest()
        unfinished.replace(out)
    except LookupError as missing:
        raise SealsBroken(f"the stored tree is not whole ({missing}); run: orders audit verify") from missing
    finally:
        unfinished.unlink(missing_ok=True)
    return Bundle(count, sealed, newest, digest)


def _extent(rows: Iterable[Row]) -> tuple[int, int]:
    position, count = 0, 0
    for row in rows:
        position, count = row[0], count + 1
    if not count:
        raise NotExported("there are no such events")
    if count > MOST_EVENTS:
        raise NotExported(f"these are {count:,} events, and a bundle holds {MOST_EVENTS:,}: export a shorter time")
    return position, count


def _signed(seal: StoredSeal, verifier: Verifier) -> Checkpoint:
    try:
        return verifier.open(seal.note)
    except NotACheckpoint as refused:
        raise SealsBroken(f"a seal cannot be used: {refused}; run: orders audit verify") from refused


def _consistency(nodes: Nodes, sealed: Checkpoint, newest: Checkpoint) -> bytes:
    proof = consistency_proof(nodes, sealed.tree_size, newest.tree_size)
    if not is_consistent(sealed.tree_size, sealed.root, newest.tree_size, newest.root, proof):
        raise SealsBroken("the newest seal does not extend the one before; run: orders audit verify")
    return _json([_text(item) for item in proof])


def _complete(rows: Iterable[Row], order: str | None) -> Iterator[Row]:
    """The rows. Raises SealsBroken where an event of the order is missing."""
    versions = 0
    for row in rows:
        if row[1] == order:
            versions += 1
            if row[2] != versions:
                raise SealsBroken(f"an event of the order is gone before position {row[0]}; run: orders audit verify")
        yield row


def _events(rows: Iterable[Row], sealed: Checkpoint, store: SealStore, nodes: Nodes, *, span: bool) -> Iterator[bytes]:
    """A line for each event. Raises SealsBroken where one is not what was signed, or one of a span is missing."""
    over: StoredSeal | None = None
    places: dict[int, int] = {}
    before: int | None = None
    for row in rows:
        position, stream_id, version, topic, state = row
        if over is None or position > over.checkpoint.position:
            over = store.covering(position)
            assert over is not None, "a later event is covered"
            places = {leaf.position: over.start + at for at, leaf in enumerate(over.leaves())}
        index = places.get(position)
        leaf = leaf_hash(row)
        proof = [] if index is None else inclusion_proof(nodes, index, sealed.tree_size)
        if index is None or root_from_inclusion(leaf, index, sealed.tree_size, proof) != sealed.root:
            raise SealsBroken(f"the event at position {position} is not what was sealed; run: orders audit verify")
        if span and before is not None and index != before + 1:
            raise SealsBroken(f"an event is gone before position {position}; run: orders audit verify")
        before = index
        yield _json(
            {
                "position": position,
                "index": index,
                "stream_id": stream_id,
                "version": version,
                "topic": topic,
                "state": _text(state),
                "decoded": json.loads(state),
                "proof": [_text(item) for item in proof],
            }
        )


class _Parts:
    """Writes the parts of an archive and keeps the manifest."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._parts: dict[str, dict[str, Any]] = {}

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        digest, size = sha256(), 0
        with self._archive.open(_entry(name), "w") as part:
            for chunk in chunks:
                digest.update(chunk)
                size += part.write(chunk)
        self._parts[name] = {"bytes": size, "sha256": digest.hexdigest()}

    def finish(self, about: dict[str, Any]) -> None:
        manifest = {**about, "parts": self._parts}
        self._archive.writestr(_entry("manifest.json"), json.dumps(manifest, indent=2) + "\n")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"

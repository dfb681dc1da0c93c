"""Holds what the store keeps of the tree against what the log gives: leaves with their positions, and inner nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from application.audit.seals.findings import Finding, Kind
from application.audit.seals.leaf import Row
from application.audit.seals.merkle import Node
from application.audit.seals.storing import POSITION_BYTES, SealStore, StoredSeal

NODES = 256  # compared at once


class StoredTreeCheck:
    """Fed with all that the log gives, and asked at each seal. What it finds does not concern the log itself."""

    def __init__(self, store: SealStore) -> None:
        self._store = store
        self._hashes: list[bytes] = []
        self._positions: list[int] = []
        self._start = 0  # how many events came before those
        self._nodes: defaultdict[int, list[Node]] = defaultdict(list)
        self._sealed = 0
        self._last_position = 0
        self._found: Finding | None = None
        last = store.last()
        self._left = last.checkpoint.tree_size if last else 0  # what lies behind the last seal is not kept

    def add(self, rows: Sequence[Row], leaves: Sequence[bytes], nodes: Sequence[Node]) -> None:
        if self._left <= 0:
            return
        self._left -= len(rows)
        self._hashes += leaves
        self._positions += [row[0] for row in rows]
        for node in nodes:
            self._nodes[node.level].append(node)

    def check(self, seal: StoredSeal) -> None:
        """The log is right up to this seal: is the rest of its row?"""
        count = seal.checkpoint.tree_size - self._start
        hashes, positions = self._hashes[:count], self._positions[:count]
        packed = b"".join(position.to_bytes(POSITION_BYTES, signed=True) for position in positions)
        if seal.hashes != b"".join(hashes) or seal.positions != packed:
            first = positions[0] if positions else self._last_position + 1
            self._altered(first, f"the leaves of the seal of {seal.checkpoint.tree_size} events are not the log's")
        del self._hashes[:count], self._positions[:count]
        self._start = self._sealed = seal.checkpoint.tree_size
        self._last_position = seal.checkpoint.position
        for level, computed in self._nodes.items():
            if len(computed) >= NODES:
                self._check_nodes(level)

    def finish(self) -> list[Finding]:
        for level in list(self._nodes):
            self._check_nodes(level)
        return [self._found] if self._found else []

    def _check_nodes(self, level: int) -> None:
        computed = [node for node in self._nodes[level] if node.number + 1 << level <= self._sealed]
        del self._nodes[level][: len(computed)]
        if computed and list(self._store.nodes(level, computed[0].number, len(computed))) != computed:
            self._altered(self._last_position, f"stored nodes of level {level} are not those of the tree")

    def _altered(self, position: int, text: str) -> None:
        self._found = self._found or Finding(Kind.SEALS_ALTERED, position, text)

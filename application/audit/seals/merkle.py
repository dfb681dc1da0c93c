"""The Merkle tree of RFC 9162, section 2.1: its root while it grows, and proofs of inclusion and of consistency.

Nodes are named as (level, number): level 0 are the leaves, and a node covers the 2**level leaves from
number * 2**level on. Only perfect subtrees have a name; the ragged right edge is computed when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple, TypeAlias

EMPTY_ROOT = sha256(b"").digest()
STORED_LEVEL = 8  # perfect subtrees from here on are stored; smaller ones are made from at most 128 leaves

ReadNode: TypeAlias = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree (level, number)."""


class Node(NamedTuple):
    level: int
    number: int
    hash: bytes


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def perfect_hash(leaves: Sequence[bytes]) -> bytes:
    """The hash over a power of two of leaf hashes."""
    level = list(leaves)
    while len(level) > 1:
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


class CompactRange:
    """A tree that only remembers its right edge: enough to append to it and to know its root."""

    def __init__(self, size: int = 0, edge: Sequence[bytes] = ()) -> None:
        assert len(edge) == size.bit_count(), "one perfect subtree for each bit of the size"
        self.size = size
        self._edge = list(edge)  # the perfect subtrees that make up the tree, largest first

    @classmethod
    def stored(cls, size: int, read: ReadNode) -> CompactRange:
        """The tree of that size, from its nodes."""
        edge, start = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                edge.append(read(level, start >> level))
                start += 1 << level
        return cls(size, edge)

    def copy(self) -> CompactRange:
        return CompactRange(self.size, self._edge)

    def extend(self, leaves: Sequence[bytes]) -> list[Node]:
        """Append leaf hashes; the perfect subtrees of the stored levels that this completed."""
        edge, size, completed = self._edge, self.size, list[Node]()
        for leaf in leaves:
            node, level, number = leaf, 0, size
            while number & 1:
                node = sha256(b"\x01" + edge.pop() + node).digest()
                number >>= 1
                level += 1
                if level >= STORED_LEVEL:
                    completed.append(Node(level, number, node))
            edge.append(node)
            size += 1
        self.size = size
        return completed

    def root(self) -> bytes:
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root


def tree_hash(read: ReadNode, start: int, end: int) -> bytes:
    """The hash over the leaves from start up to end (exclusive): MTH(D[start:end]).

    `start` must be a multiple of the power of two that holds the range, as it is for all parts of a tree.
    """
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return read(level, start >> level)
    middle = start + _split(size)
    return node_hash(tree_hash(read, start, middle), tree_hash(read, middle, end))


def inclusion_proof(read: ReadNode, index: int, size: int) -> list[bytes]:
    """PATH(index, D[0:size]) of section 2.1.3.1."""
    assert 0 <= index < size, "the leaf is in the tree"
    return _path(read, index, 0, size)


def _path(read: ReadNode, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(read, index, start, middle), tree_hash(read, middle, end)]
    return [*_path(read, index, middle, end), tree_hash(read, start, middle)]


def consistency_proof(read: ReadNode, old: int, size: int) -> list[bytes]:
    """PROOF(old, D[0:size]) of section 2.1.4.1; empty where there is nothing to prove."""
    assert 0 <= old <= size, "the old tree is not larger"
    return [] if old in (0, size) else _subproof(read, old, 0, size, whole=True)


def _subproof(read: ReadNode, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [tree_hash(read, start, end)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(read, old, start, middle, whole=whole), tree_hash(read, middle, end)]
    return [*_subproof(read, old, middle, end, whole=False), tree_hash(read, start, middle)]


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that the proof leads to (section 2.1.3.2); None where it cannot be one for this place."""
    if not 0 <= index < size:
        return None
    first, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if first & 1 or first == last:
            node = node_hash(sibling, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        first, last = first >> 1, last >> 1
    return node if last == 0 else None


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `size` extends the one of `old` (section 2.1.4.2)."""
    if old == size:
        return old_root == root and not proof
    if old == 0:
        return not proof
    if not 0 < old < size or not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and before == old_root and after == root

"""The tree is that of RFC 9162: known roots, and proofs that hold for every size and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.audit.seals.merkle import (
    EMPTY_ROOT,
    STORED_LEVEL,
    CompactRange,
    Node,
    ReadNode,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    node_hash,
    perfect_hash,
    root_from_inclusion,
    tree_hash,
)

# The inputs and roots that implementations of Certificate Transparency have tested each other with since RFC 6962.
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SIZES = st.integers(1, 70)


def leaf(number: int) -> bytes:
    return sha256(b"\x00" + number.to_bytes(4)).digest()


def leaves(size: int) -> list[bytes]:
    return [leaf(number) for number in range(size)]


def reader(hashes: Sequence[bytes]) -> ReadNode:
    return lambda level, number: perfect_hash(hashes[number << level : number + 1 << level])


def by_definition(hashes: Sequence[bytes]) -> bytes:
    """MTH of section 2.1.1, as it is written there."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(by_definition(hashes[:k]), by_definition(hashes[k:]))


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_that_everybody_knows(size: int) -> None:
    hashes = [sha256(b"\x00" + bytes.fromhex(data)).digest() for data in INPUTS[:size]]
    edge = CompactRange()
    edge.extend(hashes)
    assert edge.root().hex() == ROOTS[size - 1]
    assert tree_hash(reader(hashes), 0, size).hex() == ROOTS[size - 1]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert CompactRange().root() == EMPTY_ROOT


def test_the_root_is_that_of_the_definition_for_every_size_and_every_way_to_grow() -> None:
    all_of_them = leaves(600)
    edge = CompactRange()
    for size, hash_ in enumerate(all_of_them, start=1):
        edge.extend([hash_])
        if size < 70 or size > 590 or size in (255, 256, 257, 511, 512, 513):
            assert edge.root() == by_definition(all_of_them[:size])
            assert CompactRange.stored(size, reader(all_of_them)).root() == edge.root()


def test_growing_gives_each_larger_subtree_once_when_it_is_complete() -> None:
    hashes = leaves(1030)
    edge, found = CompactRange(), list[Node]()
    for start in range(0, 1030, 100):
        found += edge.extend(hashes[start : start + 100])
    expected = {(8, 0), (8, 1), (8, 2), (8, 3), (9, 0), (9, 1), (10, 0)}
    assert {(node.level, node.number) for node in found} == expected
    assert len(found) == len(expected)
    assert all(node.hash == reader(hashes)(node.level, node.number) and node.level >= STORED_LEVEL for node in found)


def test_every_leaf_of_every_tree_has_a_proof_that_leads_to_the_root() -> None:
    for size in range(1, 40):
        hashes = leaves(size)
        read, root = reader(hashes), by_definition(hashes)
        for index in range(size):
            proof = inclusion_proof(read, index, size)
            assert root_from_inclusion(hashes[index], index, size, proof) == root


@settings(max_examples=60, deadline=None)
@given(size=SIZES, data=st.data())
def test_a_flipped_bit_or_another_place_breaks_an_inclusion_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    root, proof = by_definition(hashes), inclusion_proof(reader(hashes), index, size)
    bit = data.draw(st.integers(0, 255))
    assert root_from_inclusion(flipped(hashes[index], bit), index, size, proof) != root
    for place in range(len(proof)):
        wrong = [*proof[:place], flipped(proof[place], bit), *proof[place + 1 :]]
        assert root_from_inclusion(hashes[index], index, size, wrong) != root
        assert root_from_inclusion(hashes[index], index, size, proof[:place]) != root
    assert root_from_inclusion(hashes[index], index, size, [*proof, root]) != root
    other = data.draw(st.integers(-1, size))
    assert other == index or root_from_inclusion(hashes[index], other, size, proof) != root


def test_every_tree_is_proved_to_extend_every_smaller_one() -> None:
    roots = [EMPTY_ROOT, *(by_definition(leaves(size)) for size in range(1, 40))]
    for size in range(1, 40):
        read = reader(leaves(size))
        for old in range(size + 1):
            assert is_consistent(old, roots[old], size, roots[size], consistency_proof(read, old, size))


@settings(max_examples=60, deadline=None)
@given(size=st.integers(2, 70), data=st.data())
def test_a_flipped_bit_breaks_a_consistency_proof(size: int, data: st.DataObject) -> None:
    old, bit = data.draw(st.integers(1, size - 1)), data.draw(st.integers(0, 255))
    hashes = leaves(size)
    before, after = by_definition(hashes[:old]), by_definition(hashes)
    proof = consistency_proof(reader(hashes), old, size)
    assert not is_consistent(old, flipped(before, bit), size, after, proof)
    assert not is_consistent(old, before, size, flipped(after, bit), proof)
    for place in range(len(proof)):
        wrong = [*proof[:place], flipped(proof[place], bit), *proof[place + 1 :]]
        assert not is_consistent(old, before, size, after, wrong)
        assert not is_consistent(old, before, size, after, proof[:place])
    assert not is_consistent(old, before, size, after, [*proof, after])


def test_a_tree_whose_past_was_changed_has_no_proof() -> None:
    hashes = leaves(20)
    changed = [*hashes[:3], leaf(99), *hashes[4:]]
    proof = consistency_proof(reader(changed), 8, 20)
    assert not is_consistent(8, by_definition(hashes[:8]), 20, by_definition(changed), proof)

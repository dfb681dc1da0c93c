"""What is signed is written as C2SP says, and nothing else passes for it."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.audit.seals.checkpoint import Checkpoint, NotACheckpoint, Signer, Verifier
from application.audit.seals.leaf import leaf_hash

LOG_ID = UUID(int=7)
SIGNER = Signer(LOG_ID, b"a seed of 32 bytes for the tests")
AT = datetime(2026, 11, 23, 15, 4, 5, 678, tzinfo=UTC)
CHECKPOINT = Checkpoint(SIGNER.name, 42, b"r" * 32, 57, AT)
NOTE = SIGNER.sign(CHECKPOINT)

# The example of the Go package that signed-note describes: golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_checkpoint_is_written_line_by_line() -> None:
    assert NOTE.splitlines()[:5] == [
        "pay-and-submit/log/00000000-0000-0000-0000-000000000007",
        "42",
        base64.b64encode(b"r" * 32).decode(),
        "position=57 sealed_at=2026-11-23T15:04:05.000678Z",
        "",
    ]
    assert SIGNER.verifier.open(NOTE) == CHECKPOINT


def test_keys_and_signatures_are_those_of_other_programs() -> None:
    verifier = Verifier("PeterNeumann", base64.b64decode(GO_KEY.split("+", 2)[2])[1:])
    assert verifier.text == GO_KEY
    with pytest.raises(NotACheckpoint, match="lines of a checkpoint"):  # it is signed, and it is none
        verifier.open(GO_NOTE)
    with pytest.raises(NotACheckpoint, match="not signed"):
        verifier.open(GO_NOTE.replace("answer", "anwser"))


@given(place=st.integers(0, len(NOTE.encode()) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_refused(place: int, bit: int) -> None:
    changed = bytearray(NOTE.encode())
    changed[place] ^= 1 << bit
    with pytest.raises(NotACheckpoint):
        SIGNER.verifier.open(changed.decode(errors="replace"))


@pytest.mark.parametrize("note", ["", "\n", "\n\n", NOTE[:-1], NOTE * 2 + "x", "x" * 5000, "— a b\n", NOTE + "\n"])
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NotACheckpoint):
        SIGNER.verifier.open(note)


def test_another_key_and_another_log_are_refused() -> None:
    other = Signer(LOG_ID, b"another seed of 32 bytes, equal.")
    with pytest.raises(NotACheckpoint):
        other.verifier.open(NOTE)
    elsewhere = Signer(UUID(int=8), b"a seed of 32 bytes for the tests")
    with pytest.raises(NotACheckpoint):
        elsewhere.verifier.open(NOTE)
    assert elsewhere.verifier.of_any_log(NOTE) == CHECKPOINT


def test_a_verifier_is_made_from_the_public_key_alone() -> None:
    key = SIGNER.verifier.text
    assert Verifier.from_text(f"{key}\n", LOG_ID).open(NOTE) == CHECKPOINT
    for wrong in ("", "x", key[:-4], key.replace("+", "-"), key.replace("log", "lag"), GO_KEY[:-2]):
        with pytest.raises(NotACheckpoint):
            Verifier.from_text(wrong, LOG_ID)


def test_the_same_content_in_other_words_is_refused() -> None:
    for text in (CHECKPOINT.text.replace("\n42\n", "\n042\n"), CHECKPOINT.text.replace("Z\n", "0Z\n")):
        with pytest.raises(NotACheckpoint):
            Checkpoint.parse(text)
    assert Checkpoint.parse(replace(CHECKPOINT, tree_size=0).text).tree_size == 0


def test_a_leaf_is_the_hash_of_its_columns_with_their_lengths() -> None:
    row = (258, "stream", 3, "topic", b"state")
    columns = ((258).to_bytes(8), b"stream", (3).to_bytes(8), b"topic", b"state")
    encoded = b"".join(len(column).to_bytes(4) + column for column in columns)
    assert leaf_hash(row) == sha256(b"\x00" + encoded).digest()


def test_no_two_rows_have_the_same_leaf() -> None:
    rows: list[tuple[object, ...]] = [
        (1, "ab", 2, "c", b"d"), (1, "a", 2, "bc", b"d"), (2, "ab", 1, "c", b"d"), (1, "ab", 2, "cd", b""),
        (1, "ab", 2, "c", "d"), (1, b"ab", 2, "c", b"d"), (1, "ab", 2.0, "c", b"d"), (1, "ab", None, "c", b"d"),
    ]  # fmt: skip
    assert len({leaf_hash(row) for row in rows}) == len(rows)  # type: ignore[arg-type]  # as somebody stored them

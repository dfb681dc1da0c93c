"""Signed tree heads, in the C2SP formats: the text is a tlog-checkpoint, the envelope a signed-note with Ed25519.

https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md, https://github.com/C2SP/C2SP/blob/main/signed-note.md
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from application.times import utc_text

SEED_BYTES = 32
MAX_NOTE_CHARACTERS = 2000
_ED25519 = b"\x01"  # the signature type of signed-note
_EXTENSION = re.compile(r"position=([0-9]{1,19}) sealed_at=([0-9T:.-]{10,32}Z)")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


ORIGIN = "pay-and-submit/log/"


class NotACheckpoint(ValueError):
    """The text is no checkpoint of this log that this key has signed; says what is wrong with it."""


def origin_of(log_id: UUID) -> str:
    """The unique name of one log; also the name of the key that signs its checkpoints."""
    return f"{ORIGIN}{log_id}"


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: so many events, the last of them at `position`, have this root."""

    origin: str
    tree_size: int
    root: bytes
    position: int
    sealed_at: datetime  # UTC, the sealer's clock

    @property
    def text(self) -> str:
        """What is signed: three lines of the format, and one line of ours."""
        root = base64.b64encode(self.root).decode()
        ours = f"position={self.position} sealed_at={utc_text(self.sealed_at)}"
        return f"{self.origin}\n{self.tree_size}\n{root}\n{ours}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Raises NotACheckpoint, also where the same content could be written another way."""
        lines = text.split("\n")
        extension = _EXTENSION.fullmatch(lines[3]) if len(lines) == 5 else None
        if extension is None or not _NUMBER.fullmatch(lines[1]):
            raise NotACheckpoint("it does not have the lines of a checkpoint")
        try:
            root = base64.b64decode(lines[2], validate=True)
            moment = datetime.fromisoformat(extension[2])
        except ValueError as error:
            raise NotACheckpoint("its root or its time cannot be read") from error
        found = cls(lines[0], int(lines[1]), root, int(extension[1]), moment)
        if found.text != text:
            raise NotACheckpoint("it is not written as this program writes it")
        return found


class Verifier:
    """Knows one public key under one name."""

    def __init__(self, name: str, public_key: bytes) -> None:
        self.name = name
        self._raw = public_key
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self._key_id = sha256(f"{name}\n".encode() + _ED25519 + public_key).digest()[:4]
        encoded = base64.b64encode(_ED25519 + public_key).decode()
        self.text = f"{name}+{self._key_id.hex()}+{encoded}"  # the "vkey" of signed-note

    @classmethod
    def from_text(cls, text: str, log_id: UUID) -> Verifier:
        """For a log, with the key of a line as `text` is. Raises NotACheckpoint where it is no such line."""
        name, _, rest = text.strip().partition("+")
        try:
            encoded = base64.b64decode(rest.partition("+")[2], validate=True)
            if encoded[:1] == _ED25519 and cls(name, encoded[1:]).text == text.strip():
                return cls(origin_of(log_id), encoded[1:])
        except ValueError:
            pass
        raise NotACheckpoint("it is not the line of a public key")

    @property
    def key_id(self) -> bytes:
        return self._key_id

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a signed note. Raises NotACheckpoint."""
        text, blank, signatures = note.partition("\n\n")
        if not blank or len(note) > MAX_NOTE_CHARACTERS or not signatures.endswith("\n"):
            raise NotACheckpoint("it is not a signed note")
        text += "\n"
        lines = signatures[:-1].split("\n")
        if not all(line.startswith("— ") for line in lines):
            raise NotACheckpoint("it is not a signed note")
        if not any(self._signed(text, line) for line in lines):
            raise NotACheckpoint("it is not signed with the key of this log")
        checkpoint = Checkpoint.parse(text)
        if checkpoint.origin != self.name:
            raise NotACheckpoint("it belongs to another log")
        return checkpoint

    def of_any_log(self, note: str) -> Checkpoint:
        """As `open`, of whichever log of ours the note names. Raises NotACheckpoint."""
        origin = note.partition("\n")[0]
        if not origin.startswith(ORIGIN) or len(origin) > len(ORIGIN) + 36:
            raise NotACheckpoint("it is no checkpoint of a log of this kind")
        return Verifier(origin, self._raw).open(note)

    def _signed(self, text: str, line: str) -> bool:
        name, _, encoded = line.removeprefix("— ").partition(" ")
        try:
            signature = base64.b64decode(encoded, validate=True)
        except ValueError:
            return False
        if name != self.name or signature[:4] != self._key_id or base64.b64encode(signature).decode() != encoded:
            return False
        try:
            self._key.verify(signature[4:], text.encode())
        except InvalidSignature:
            return False
        return True


class Signer:
    """Signs the checkpoints of one log."""

    def __init__(self, log_id: UUID, seed: bytes) -> None:
        self.name = origin_of(log_id)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(self.name, self._key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note."""
        assert checkpoint.origin == self.name, "a log signs for itself"
        signature = base64.b64encode(self.verifier.key_id + self._key.sign(checkpoint.text.encode())).decode()
        return f"{checkpoint.text}\n— {self.name} {signature}\n"

"""The checkpoints as a text file outside the database: one signed note after the other, an empty line between them.

Whoever can write to the database cannot take back what lies here; copies of this file on another machine are better.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import make_url

from application.audit.seals.checkpoint import MAX_NOTE_CHARACTERS

log = logging.getLogger(__name__)

SIGNATURE = "— "
TAIL_BYTES = 16 * MAX_NOTE_CHARACTERS  # holds some whole notes, whatever their characters


class NoteFile:
    """The `CheckpointFile` of one log: `FOLDER/LOG_ID/checkpoints.txt`, beside it `public-key.txt` and `database.txt`.

    `database`: see `name_of_database`. Several databases may share a folder, and one that has lost its log id, which
    only the database holds, is known again by its name.
    """

    def __init__(self, folder: Path, log_id: UUID, database: str) -> None:
        self.path = folder / str(log_id) / "checkpoints.txt"
        self.key_path = self.path.with_name("public-key.txt")
        self._folder = folder
        self._database = f"{database}\n"
        self._database_path = self.path.with_name("database.txt")

    def last(self) -> str | None:
        return _last_in(self.path)

    def notes(self) -> Iterator[str]:
        if self.path.exists():
            with self.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
                yield from split_notes(file)

    def append(self, notes: Sequence[str]) -> None:
        """Add the notes and have them on the disk; a note that a crash cut short is first taken off the end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        with self.path.open("ab") as file:
            self._drop_torn_end(file.fileno())
            file.write("".join(f"\n{note}" for note in notes).encode())
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _flush_folder(self.path.parent)

    def publish_key(self, verifier_key: str) -> None:
        if not self.key_path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.key_path.write_text(f"{verifier_key}\n")
        if not self._names_database(self._database_path):
            self._database_path.write_text(self._database, encoding="utf-8")

    def of_other_logs(self) -> Iterator[str]:
        for path in sorted(self._folder.glob("*/database.txt")):
            if path != self._database_path and self._names_database(path):
                note = _last_in(path.with_name("checkpoints.txt"))
                if note is not None:
                    yield note

    def _names_database(self, path: Path) -> bool:
        return path.exists() and path.read_text(encoding="utf-8", errors="replace") == self._database

    def _drop_torn_end(self, descriptor: int) -> None:
        tail = _tail(self.path)
        end = at = 0
        for line in tail.splitlines(keepends=True):
            at += len(line)
            if line.startswith(SIGNATURE.encode()) and line.endswith(b"\n"):
                end = at
        if end and tail[end:].strip():
            log.warning("the last note in %s was cut short: it is written again", self.path)
            os.truncate(descriptor, os.fstat(descriptor).st_size - len(tail) + end)


def name_of_database(url: str) -> str:
    """Which database it is, whoever signs in to it: what nobody with rights in the database can change."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return f"sqlite {Path(parsed.database or '').resolve()}"
    host = parsed.host or ",".join(parsed.normalized_query.get("host", ())) or "localhost"
    return f"postgresql {host} {parsed.port or 5432} {parsed.database}"


def _last_in(path: Path) -> str | None:
    """The last whole note of a file."""
    lines = _tail(path).decode(errors="replace").splitlines(keepends=True)
    whole = [note for note in split_notes(lines) if _is_whole(note)]
    return whole[-1] if whole else None


def _tail(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        return file.read()


def _is_whole(note: str) -> bool:
    return note.endswith("\n") and note.splitlines()[-1].startswith(SIGNATURE)


def split_notes(lines: Iterable[str]) -> Iterator[str]:
    """The notes in the lines of a file. What stands between them, or was cut short, comes as it is."""
    note: list[str] = []
    for line in lines:
        if not note and line == "\n":
            continue
        note.append(line)
        if (line.startswith(SIGNATURE) and line.endswith("\n")) or sum(map(len, note)) > MAX_NOTE_CHARACTERS:
            yield "".join(note)
            note = []
    if note:
        yield "".join(note)


def _flush_folder(folder: Path) -> None:
    """Have the name of a new file on the disk too. Windows has no such thing."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

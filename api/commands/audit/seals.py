"""`orders audit seals`: how sealing stands, and the last signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.audit.sealed import sealed_log
from api.commands.audit.verify import shown_checkpoint
from api.commands.console import AsJson, print_json, print_text

if TYPE_CHECKING:
    from application.adapters.seals.covering import SealStatus
    from application.audit.seals.checkpoint import Checkpoint


def seals(
    last: Annotated[int, typer.Option(min=0, max=1000, help="How many checkpoints to list.")] = 5,
    note: Annotated[bool, typer.Option("--note", help="Print the last signed checkpoint only, to be kept.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show who seals, how far behind the log, and the last checkpoints. Keep one somewhere else now and then (--note):
    it proves later that nothing before it was changed.

    Exit codes: 0 all is well, 1 nobody seals or sealing has stopped, 2 not possible.
    """
    from application.adapters.seals.covering import read_status

    with sealed_log() as log:
        found = read_status(log.store)
        newest = log.store.newest(max(last, 1))
        head = log.rows.head()
        path, key = log.file().path, log.signer().verifier.text
    if note:
        print_text(*(seal.note.rstrip("\n") for seal in newest[:1]))
        raise typer.Exit(0 if newest else 1)
    if as_json:
        print_json(
            {
                "sealed_events": found.last.tree_size if found.last else 0,
                "position": found.last.position if found.last else 0,
                "log_position": head,
                "sealer": found.sealer or None,
                "heard_of_s": found.heard_of_s,
                "stale": found.stale,
                "problem": found.problem,
                "file": str(path),
                "public_key": key,
                "checkpoints": [shown_checkpoint(seal.checkpoint) for seal in newest[:last]],
            }
        )
    else:
        print_text(*_lines(found, head, str(path), key))
        print_text(*(_line(seal.checkpoint) for seal in newest[:last]))
    raise typer.Exit(1 if found.stale or found.problem else 0)


def _lines(found: SealStatus, head: int, path: str, key: str) -> Iterator[str]:
    if found.problem:
        yield f"ALARM: sealing has stopped: {found.problem}; run: orders audit verify"
    if found.stale:
        yield "ALARM: nobody seals; start orders serve or orders work"
    position = found.last.position if found.last else 0
    yield f"sealed up to position {position:,}; the log ends at {head:,}"
    yield f"checkpoints: {path}"
    yield f"public key:  {key}"


def _line(checkpoint: Checkpoint) -> str:
    return (
        f"{checkpoint.sealed_at:%Y-%m-%d %H:%M:%S} UTC  {checkpoint.tree_size:>12,} events"
        f"  up to position {checkpoint.position:,}  root {checkpoint.root.hex()}"
    )

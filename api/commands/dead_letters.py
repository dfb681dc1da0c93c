"""`orders dead-letters`: events that a read model could not take in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from api.commands.console import AsJson, print_json, print_text
from api.commands.operators import ActorName, Reason, actor_of
from api.commands.projections import opened
from projections.dead_letters import Tried

app = typer.Typer(help="Events that a read model could not take in: try them again, or give one up.")

Stream = Annotated[UUID, typer.Argument(metavar="STREAM", help="Id of the order, or other stream, they belong to.")]


@app.command("list")
def list_dead_letters(as_json: AsJson = False) -> None:
    """List what is set aside, in order. Exit codes: 0 nothing is, 1 something is, 2 not possible."""
    with opened() as models:
        found = models.dead_letters.waiting()
    if as_json:
        print_json({"dead_letters": [asdict(letter) for letter in found]})
    elif not found:
        print_text("nothing is set aside")
    else:
        print_text(
            *(
                f"{letter.projection:<18} position {letter.position:>10,}  {letter.topic}  stream {letter.stream_id}\n"
                f"    {letter.error or 'waits for the events before it'}"
                for letter in found
            )
        )
    raise typer.Exit(1 if found else 0)


@app.command()
def retry(
    stream: Annotated[UUID | None, typer.Argument(metavar="STREAM", help="Only of this order or stream.")] = None,
    as_json: AsJson = False,
) -> None:
    """Fold them again, in order. Exit codes: 0 nothing is left, 1 some still fail, 2 not possible."""
    with opened() as models:
        _end(models.dead_letters.retry(stream), as_json=as_json)


@app.command()
def skip(stream: Stream, reason: Reason, actor: ActorName = None, as_json: AsJson = False) -> None:
    """Give up the first event of a stream that is set aside, and go on with the ones behind it.

    Exit codes: 0 nothing is left, 1 the next one fails too, 2 not possible.
    """
    with opened() as models:
        _end(models.dead_letters.skip(stream, actor=actor_of(actor), reason=reason), as_json=as_json)


def _end(tried: list[Tried], *, as_json: bool) -> None:
    if as_json:
        print_json({"streams": [asdict(stream) for stream in tried]})
    elif not tried:
        print_text("nothing of it is set aside")
    else:
        print_text(
            *(
                f"{stream.projection}: {stream.applied} events of {stream.stream_id} folded, {stream.left} left"
                + (f"; {stream.error}" if stream.error else "")
                for stream in tried
            )
        )
    raise typer.Exit(1 if any(stream.left for stream in tried) else 0)

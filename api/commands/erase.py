"""`orders erase`: destroy the personal data of a client."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.console import AsJson, errors, fail, print_json, print_text
from api.commands.operators import ActorName, Reason, actor_of, new_request, operate
from application.audit.erasing import KEY_STALENESS_S, OUT_OF_REACH, Erasure, NotFinished, UnknownClient
from application.operations import NotPossible
from application.ports import DirectoryUnavailable
from application.times import utc_text

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it

MAX_ID = 2**63 - 1


def erase(
    client: Annotated[int, typer.Argument(metavar="CLIENT", min=1, max=MAX_ID, help="Id of the client.")],
    reason: Reason,
    actor: ActorName = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Destroy the personal data of a client: names, addresses, access codes, notes. It cannot be undone.

    Amounts and ids stay, for the books. Safe to run again: it goes on where it stopped, and repeats every step.

    Exit codes: 0 erased, 1 not finished (the same command goes on), 2 not possible, and nothing was erased.
    """
    if not yes:
        _confirm(client)
    who, request = actor_of(actor), new_request()

    async def act(service: Service) -> Erasure | NotFinished:
        from api.erasure import erasing

        async with erasing(service) as erase_client:
            try:
                return await erase_client(client, actor=who, reason=reason, request=request)
            except UnknownClient:
                raise NotPossible("there is no such client") from None
            except DirectoryUnavailable as error:
                raise NotPossible(f"ORDERS_DATABASE_URL: the directory cannot be read ({error})") from error
            except NotFinished as unfinished:
                return unfinished

    done = operate(act)
    if isinstance(done, NotFinished):
        errors.print(f"orders: not finished yet, {done}", markup=False, soft_wrap=True)
        errors.print("orders: nothing is lost; run the same command again", markup=False)
        if as_json:
            print_json({"client_id": client, "finished": False, "step": done.step})
        raise typer.Exit(1)
    shown = _shown(done)
    if as_json:
        print_json(shown)
    else:
        print_text(*_lines(shown))


def _confirm(client: int) -> None:
    if not sys.stdin.isatty():
        fail("this cannot be undone; say --yes where nobody can be asked")
    typed = typer.prompt(f"This cannot be undone. Type the client's id to erase client {client}", err=True)
    if typed.strip() != str(client):
        fail("nothing was erased")


def _shown(done: Erasure) -> dict[str, Any]:
    forgotten_at = datetime.now(UTC) + timedelta(seconds=KEY_STALENESS_S)
    return {
        "client_id": done.client_id,
        "finished": True,
        "requested_at": utc_text(done.requested_at),
        "erased_at": utc_text(done.erased_at),
        "repeated": done.repeated,
        "records": asdict(done.records),
        "index_entries": done.index_entries,
        "key_forgotten_everywhere_at": utc_text(forgotten_at.replace(microsecond=0)),
        "out_of_reach": list(OUT_OF_REACH),
    }


def _lines(shown: dict[str, Any]) -> list[str]:
    records = shown["records"]
    again = "had been erased before; every step was carried out again" if shown["repeated"] else "is erased"
    return [
        f"client {shown['client_id']} {again} (in the log since {shown['erased_at']})",
        f"directory: {records['clients']} client and {records['users']} users emptied, {records['sessions']} sessions"
        f" and {records['payment_methods']} payment methods removed; imports do not bring them back",
        f"search index: {shown['index_entries']} entries removed",
        f"key: destroyed; servers that run forget it by {shown['key_forgotten_everywhere_at']}",
        "out of reach:",
        *(f"  - {place}" for place in shown["out_of_reach"]),
    ]

"""`orders audit looks`: who has looked at personal data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from api.commands.audit.log import opened_log
from api.commands.console import AsJson, print_json_list, print_text
from application.audit.looking import looks_at
from application.stored_events import CODEC
from application.times import utc_text


def looks(
    client: Annotated[int | None, typer.Option(metavar="ID", help="Only looks at this client's orders.")] = None,
    as_json: AsJson = False,
) -> None:
    """List who has looked at the personal data of orders: when, whose, which fields, where.

    One entry per actor, order and day (UTC), and one more where further fields were shown. Clients who read their own
    orders are not in it. Exit codes: 0 listed, also when nobody looked; 2 not possible.
    """
    with opened_log() as scan:
        found = looks_at(scan, CODEC, client)  # one after the other: there may be more than fit into memory
        if as_json:
            print_json_list({**asdict(look), "recorded_at": utc_text(look.recorded_at)} for look in found)
            return
        nobody = True
        for look in found:
            nobody = False
            print_text(
                f"{utc_text(look.recorded_at)}  {look.actor:<24} client {look.client_id}, order {look.order_id}:"
                f" {', '.join(look.fields)}  ({look.reason})"
            )
    if nobody:
        print_text("nobody has looked")

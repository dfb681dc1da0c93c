"""`orders audit find`: the orders of a person or for a property."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.console import AsJson, errors, fail, print_json, print_text
from api.commands.operators import operate
from application.operations import NotPossible
from application.person_digests import MAX_CHARACTERS
from application.person_search import Found, PersonSearch
from application.ports.erasure import PersonIndexUnavailable

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it

COMPLETE_WITHIN_S = 600.0  # the first search of a long log


def find(
    email: Annotated[str | None, typer.Option(help="Address of a confirmation, or of the contact on site.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Address of a property on one line, its street, or its id.")
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the search index anew from the log first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find orders by e-mail address or property: exactly, whatever the case and punctuation. Newest first, at most 500.

    The index holds keyed digests only. Orders of erased clients are not found.

    Exit codes: 0 found, 1 found nothing, 2 not possible.
    """
    wanted = [text for text in (email, address) if text is not None]
    if len(wanted) != 1 or not wanted[0].strip() or len(wanted[0]) > MAX_CHARACTERS:
        fail(f"give either --email or --address, of at most {MAX_CHARACTERS} characters")

    async def act(service: Service) -> tuple[Found, list[dict[str, Any]]]:
        try:
            if rebuild:
                await service.person_search.rebuild()
            await _follow(service.person_search)
            search = service.person_search.by_email if email is not None else service.person_search.by_place
            found = await search(wanted[0], COMPLETE_WITHIN_S)
        except PersonIndexUnavailable as error:
            raise NotPossible(f"ORDERS_KEY_STORE_URL: the index cannot be read ({error}); orders migrate") from error
        orders = await service.reading.read_many(found.order_ids, "default")
        return found, [order.shown for order in orders]

    found, orders = operate(act)
    rows = [
        {name: order[name] for name in ("id", "number", "state", "total_cents", "requested_at")} for order in orders
    ]
    rows = [{**row, "client_id": order["client"]["id"]} for row, order in zip(rows, orders, strict=True)]
    if as_json:
        print_json({"orders": rows, "position": found.position, "complete": found.complete})
    elif not rows:
        print_text("no order is found by it")
    else:
        print_text(*(f"{row['number']}  {row['id']}  {row['state']:<16} {row['requested_at']}" for row in rows))
    raise typer.Exit(0 if rows else 1)


async def _follow(search: PersonSearch) -> None:
    """Bring the index to the end of the log, and say how far it is where that takes time."""
    if (head := await search.head()) - await search.position() < 20_000:
        return
    with errors.status("orders: reading the log") as status:
        while await search.catch_up():
            status.update(f"orders: indexed {await search.position():,} of {head:,} events")

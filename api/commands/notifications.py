"""`orders notifications`: what people should look at."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from api.commands.console import AsJson, print_json, print_text
from api.commands.operators import ActorName, Reason, actor_of, new_request, operate
from api.notification_view import shown_notification, shown_row
from api.read_models import NOTIFICATIONS
from projections.notifications import find_notifications

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it

MAX_SHOWN = 200

app = typer.Typer(help="What people should look at: see it, then resolve it.")


class State(StrEnum):
    NEW = "new"
    SEEN = "seen"
    RESOLVED = "resolved"


NotificationId = Annotated[UUID, typer.Argument(metavar="ID", help="Id of the notification.")]


@app.command("list")
def list_notifications(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None, as_json: AsJson = False
) -> None:
    """List the newest notifications, at most 200."""
    wanted = state.value if state else None

    async def act(service: Service) -> list[dict[str, object]]:
        _, rows = await service.views.read(
            NOTIFICATIONS, lambda connection: find_notifications(connection, state=wanted, before=None, limit=MAX_SHOWN)
        )
        return [shown_row(row) for row in rows[:MAX_SHOWN]]

    found = operate(act)
    if as_json:
        print_json({"notifications": found})
    else:
        print_text(*(lines for row in found for lines in _lines(row)) if found else ("no notifications",))


@app.command()
def seen(notification: NotificationId, actor: ActorName = None, as_json: AsJson = False) -> None:
    """Mark a notification as seen. Exit codes: 0 done, 2 not possible."""
    who, request = actor_of(actor), new_request()

    async def act(service: Service) -> dict[str, object]:
        found = await service.operations.see_notification(notification, actor=who, request=request)
        return shown_notification(found)

    _print(operate(act), as_json=as_json)


@app.command()
def resolve(notification: NotificationId, reason: Reason, actor: ActorName = None, as_json: AsJson = False) -> None:
    """Mark a notification as dealt with. Exit codes: 0 done, 2 not possible."""
    who, request = actor_of(actor), new_request()

    async def act(service: Service) -> dict[str, object]:
        found = await service.operations.resolve_notification(notification, actor=who, reason=reason, request=request)
        return shown_notification(found)

    _print(operate(act), as_json=as_json)


def _print(row: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json({"notification": row})
    else:
        print_text(*_lines(row))


def _lines(row: dict[str, object]) -> tuple[str, str, str]:
    about = f"  order {row['order_id']}" if row["order_id"] else ""
    return (
        f"{row['id']}  {row['state']:<8}  {row['raised_at']}  {row['kind']}{about}",
        f"    {row['message']}",
        f"    to do: {row['action']}",
    )

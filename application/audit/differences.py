"""A state before and after an event, and which of its fields the event changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from application.audit.explanation import Change
from application.order_view import order_view
from application.times import utc_text
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.promotion import PromotionRedemption
from domain.stream import Stream


def shown_state(stream: Stream) -> dict[str, Any]:
    """The state of a stream as flat fields; nothing personal is among them."""
    match stream:
        case Order():
            return dict(_flat("", _order(stream)))
        case DuplicateWindow():
            blocked = utc_text(stream.blocked_until) if stream.blocked_until else None
            state = {"order_id": _text(stream.order_id), "is_open": stream.is_open, "blocked_until": blocked}
            return {f"duplicate_window.{name}": value for name, value in state.items()}
        case PromotionRedemption():
            state = {"held_by": _text(stream.held_by), "redeemed": stream.redeemed}
            return {f"promotion_redemption.{name}": value for name, value in state.items()}
        case Notification():
            raised = "seen" if stream.is_seen else "new" if stream.raised else None
            return {"notification.state": "resolved" if stream.is_resolved else raised}
        case _:
            return {}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The fields that differ, in the order of the later state."""
    names = [*after, *(name for name in before if name not in after)]
    return tuple(
        Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _order(order: Order) -> dict[str, Any]:
    if order.requested is None:
        return {}
    view = order_view(order, None)
    view["client"] = {"id": view["client"]["id"]}
    del view["id"], view["number"], view["version"]
    if order.corrections:
        view["corrections"] = {
            transaction_id: {"state": correction.state.value, "amount_cents": correction.amount_cents}
            for transaction_id, correction in order.corrections.items()
        }
    return view


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flat(f"{path}[{index}]", inner)
    else:
        yield path, utc_text(value) if isinstance(value, datetime) else value


def _text(value: object) -> str | None:
    return None if value is None else str(value)

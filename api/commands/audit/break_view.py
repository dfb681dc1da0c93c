"""How a break is shown: as values for JSON, and as lines for people."""

from __future__ import annotations

from typing import Any

from application.receipt import money
from domain.pricing import CURRENCY
from domain.settlement_break import SettlementBreak


def shown_break(known: SettlementBreak) -> dict[str, Any]:
    """Everything that is known of it. Amounts in cents, times as ISO 8601."""
    found = known.found
    assert found is not None, "only what was found is shown"
    return {
        "id": str(known.id),
        "state": known.state,
        "class": found.classification.value,
        "transaction_id": found.transaction_id,
        "batch_id": found.batch_id,
        "invoice_number": found.invoice_number,
        "order_id": str(found.order_id) if found.order_id else None,
        "ours_cents": found.ours_cents,
        "theirs_cents": found.theirs_cents,
        "happened_at": found.happened_at.isoformat(),
        "found_at": found.timestamp.isoformat(),
        "cause": found.cause,
        "next_command": found.next_command,
        "owner": known.owner,
        "resolution": known.resolved.reason if known.resolved else None,
    }


def break_lines(row: dict[str, Any]) -> list[str]:
    about = f"  order {row['order_id']}" if row["order_id"] else ""
    owner = f"  owned by {row['owner']}" if row["owner"] else ""
    sides = f"ours {_money(row['ours_cents'])}, theirs {_money(row['theirs_cents'])}"
    lines = [
        f"{row['id']}  {row['state']:<8}  {row['class']:<19}  {row['happened_at'][:10]}  {sides}{about}{owner}",
        f"    {row['cause']}",
    ]
    if row["state"] == "resolved":
        return [*lines, f"    resolved: {row['resolution']}"]
    return [*lines, f"    next: {row['next_command']}"]


def _money(cents: int | None) -> str:
    return "unknown" if cents is None else money(cents, CURRENCY)

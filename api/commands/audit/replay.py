"""`orders audit replay`: the state as it was recorded then, with every sum computed again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from time import monotonic
from typing import Annotated, Any
from uuid import UUID

import typer

from api.commands.audit.log import opened_log
from api.commands.console import AsJson, errors, fail, print_json, print_text
from api.commands.operators import operate, order_named
from application.audit.checking import LogCheck
from application.audit.replaying import Cut, Progress, Report, replay_log
from application.audit.replaying_order import OrderReplay, replay_order
from application.audit.state import Mismatch
from application.stored_events import CODEC

PROGRESS_AFTER_S = 1.0
PROGRESS_S = 0.5
AT_WRONG = "--at is a position, or an instant with its offset, as 2026-11-23T12:00:00Z"

At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME|POSITION", help="An instant with its offset, or a position. (default: now)"),
]
OrderId = Annotated[
    str | None, typer.Argument(metavar="[ORDER]", help="Id or short number of an order; without it, the whole log.")
]


def replay(order: OrderId = None, at: At = None, as_json: AsJson = False) -> None:
    """Replay an order, or the whole log, as it was recorded at a moment, and compute every sum again: from the priced
    lines and the promotion's terms of that moment. Checks too that nothing was charged twice, used twice or lost.

    Exit codes: 0 all agrees, 1 something differs (the first difference is named), 2 not possible.
    """
    cut = cut_of(at)
    if order is None:
        _whole(cut, as_json=as_json)
        return
    order_id = _id_of(order)
    with opened_log() as scan:
        found = replay_order(scan, CODEC, order_id, cut)
    if found is None:
        fail("there was no such order then")
    if as_json:
        print_json({**asdict(found), "consistent": found.consistent})
    else:
        print_text(*_order_lines(found))
    raise typer.Exit(0 if found.consistent else 1)


def _id_of(order: str) -> UUID:
    """A short number is looked up in the read models; an id needs none."""
    try:
        return UUID(order)
    except ValueError:
        return operate(lambda service: order_named(service, order))


def cut_of(text: str | None) -> Cut:
    """What `--at` says."""
    if text is None:
        return Cut()
    if text.isascii() and text.isdigit() and len(text) < 19:
        return Cut(position=int(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(AT_WRONG)
    if moment.tzinfo is None:
        fail(AT_WRONG)
    return Cut(at=moment)


def _whole(cut: Cut, *, as_json: bool) -> None:
    began_s = monotonic()
    with opened_log() as scan:
        log = replay_log(scan, CODEC.topics, cut, progress(as_json=as_json))
    seconds = max(monotonic() - began_s, 1e-9)
    if as_json:
        print_json(_log_json(log, seconds))
    else:
        print_text(*_log_lines(log, seconds))
    raise typer.Exit(1 if log.mismatches else 0)


def progress(*, as_json: bool) -> Report:
    """Percent and events per second, on stderr, where it takes longer."""
    last_s = 0.0

    def show(now: Progress) -> None:
        nonlocal last_s
        if now.seconds < PROGRESS_AFTER_S or monotonic() - last_s < PROGRESS_S:
            return
        last_s = monotonic()
        if as_json:
            sys.stderr.write(json.dumps({**asdict(now), "percent": round(now.percent, 2)}) + "\n")
        else:
            errors.print(
                f"{now.percent:6.2f} %  {now.position:,} of {now.target:,}  {now.position / now.seconds:,.0f} events/s"
            )

    return show


def _log_json(log: LogCheck, seconds: float) -> dict[str, Any]:
    return {
        "position": log.position,
        "events": log.events,
        "orders": log.orders,
        "seconds": round(seconds, 3),
        "events_per_s": round(log.events / seconds),
        "orders_per_s": round(log.orders / seconds),
        "states": {state: number for state, number in sorted(log.states.items()) if number},
        "charged_cents": log.charged_cents,
        "kept_cents": log.kept_cents,
        "mismatches": log.mismatches,
        "first": asdict(log.first) if log.first else None,
        "shown": [asdict(mismatch) for mismatch in log.shown],
    }


def _log_lines(log: LogCheck, seconds: float) -> Iterator[str]:
    yield (
        f"{log.events:,} events of {log.orders:,} orders up to position {log.position:,} in {seconds:.1f} s:"
        f" {log.events / seconds:,.0f} events/s, {log.orders / seconds:,.0f} orders/s"
    )
    yield "orders: " + (
        ", ".join(f"{state} {number:,}" for state, number in sorted(log.states.items()) if number) or "-"
    )
    yield f"charged {log.charged_cents:,} cents, of which {log.kept_cents:,} cents are kept"
    yield f"{log.mismatches:,} mismatches"
    yield from _differences(log.shown, log.first)


def _order_lines(found: OrderReplay) -> Iterator[str]:
    order = found.order
    yield f"order {order['number']} ({order['id']}) at position {found.position:,}: {order['state']}"
    payment = order["payment"]
    if payment:
        yield f"payment {payment['state']}, transaction {payment['transaction_id'] or '-'}"
    for total in found.totals:
        again = "not to be computed" if total.recomputed_cents is None else f"{total.recomputed_cents:,} cents"
        yield f"  {total.name:<22} recorded {total.recorded_cents:,} cents, computed again {again}"
    yield f"{len(found.mismatches):,} mismatches"
    yield from _differences(found.mismatches, found.mismatches[0] if found.mismatches else None)


def _differences(shown: Any, first: Mismatch | None) -> Iterator[str]:
    if first is not None:
        yield "the first: " + _difference(first)
        yield from ("           " + _difference(other) for other in shown if other is not first)


def _difference(found: Mismatch) -> str:
    return (
        f"position {found.position}, {found.topic} of {found.stream_id}, version {found.version}: {found.check}:"
        f" recorded {found.recorded}, expected {found.expected}"
    )

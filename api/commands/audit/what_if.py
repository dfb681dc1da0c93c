"""`orders audit what-if`: which orders would have ended differently under another policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from time import monotonic
from typing import Annotated, Any

import typer

from api.commands.audit.log import opened_log
from api.commands.audit.replay import progress
from api.commands.console import AsJson, fail, print_json, print_text
from application.audit.other_policy import BadPolicy, Difference, Findings, OtherPolicy, PromotionPolicy, Verdict
from application.audit.replaying import Cut, Progress, pages
from application.audit.what_if import WhatIf
from application.times import utc_text
from domain.order import Order
from domain.stream import UNREADABLE

MOST_WINDOW_S = 30 * 86_400
MOST_SHOWN = 50  # orders, where people read it


def what_if(
    duplicate_window: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", min=0, max=MOST_WINDOW_S, help="How long a yes blocks the same thing."),
    ] = None,
    promotion: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE=POLICY", help="percent:N, amount:CENTS, off, uses:N per user; with commas, several."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only orders requested from this on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only orders requested before this.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay history under another policy: which orders would have been refused, accepted or charged otherwise, and by
    how much. Reads stored events and nothing else: no gateway is reached and nothing is written.

    It says what it cannot know. Exit codes: 0 reported, also when nothing differs; 2 not possible.
    """
    policy = OtherPolicy(duplicate_window, _promotions(promotion or []), _moment(since), _moment(until))
    if policy.duplicate_window_s is None and not policy.promotions:
        fail("say what is to be other: --duplicate-window SECONDS, --promotion CODE=POLICY")
    replayed = WhatIf(policy)
    with opened_log() as scan:
        target, report, began_s = scan.head(), progress(as_json=as_json), monotonic()
        try:
            for rows in pages(scan, Cut(), target):
                replayed.page(rows)
                report(Progress(rows[-1].position if rows else target, target, monotonic() - began_s))
        except UNREADABLE as unreadable:
            fail(f"an event after position {replayed.findings().position} cannot be read: {type(unreadable).__name__}")
    if unknown := set(policy.promotions) - replayed.codes:
        fail(*(f"no promotion in the log has the code {code}" for code in sorted(unknown)))
    found = replayed.findings()
    if as_json:
        print_json(_json(found))
    else:
        print_text(*_lines(found))


def _promotions(texts: list[str]) -> dict[str, PromotionPolicy]:
    found: dict[str, PromotionPolicy] = {}
    for text in texts:
        code, _, policy = text.rpartition("=")
        if not code or code in found:
            fail("--promotion takes CODE=POLICY, once per code")
        try:
            found[code] = PromotionPolicy.parse(policy)
        except BadPolicy as bad:
            fail(str(bad))
    return found


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if len(text) == len("2026-11-23"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail("--from and --to are dates, or instants with their offset")
    if moment.tzinfo is None:
        fail("--from and --to are dates, or instants with their offset")
    return moment


def _json(found: Findings) -> dict[str, Any]:
    return {
        "position": found.position,
        "orders": found.orders,
        "different": len(found.differences),
        "by_kind": dict(Counter(difference.kind for difference in found.differences)),
        "charged_cents": found.charged_cents,
        "delta_cents": found.delta_cents,
        "undecided": len(found.undecided),
        "at_stake_cents": found.at_stake_cents,
        "orders_that_differ": [_difference_json(difference) for difference in found.differences],
        "cannot_know": list(found.unknowable),
    }


def _difference_json(found: Difference) -> dict[str, Any]:
    return {
        "order_id": str(found.order_id),
        "number": Order.empty(found.order_id).number,
        "position": found.position,
        "requested_at": utc_text(found.requested_at),
        "kind": found.kind,
        "was": asdict(found.was),
        "would": asdict(found.would),
        "was_kept_cents": found.was_kept_cents,
        "would_keep_cents": found.would_keep_cents,
        "delta_cents": found.delta_cents,
    }


def _lines(found: Findings) -> Iterator[str]:
    kinds = Counter(difference.kind for difference in found.differences)
    yield f"{len(found.differences):,} of {found.orders:,} orders would have ended differently"
    yield from (f"  {kind}: {number:,}" for kind, number in sorted(kinds.items()))
    yield f"charged {found.charged_cents:,} cents; {found.delta_cents:+,} cents where the ending is known"
    if found.undecided:
        yield f"only the bank could say for {len(found.undecided):,} of them: {found.at_stake_cents:,} cents at most"
    for difference in found.differences[:MOST_SHOWN]:
        number, at = Order.empty(difference.order_id).number, utc_text(difference.requested_at)
        yield f"  {number}  {at}  {_verdict(difference.was)} → {_verdict(difference.would)}"
    if len(found.differences) > MOST_SHOWN:
        yield f"  and {len(found.differences) - MOST_SHOWN:,} more: --json lists them all"
    yield "It cannot know:"
    yield from (f"  - {sentence}" for sentence in found.unknowable)


def _verdict(verdict: Verdict) -> str:
    cents = f"{verdict.total_cents:,} cents"
    return f"accepted at {cents}" if verdict.accepted else f"refused, {verdict.status} ({verdict.rule})"

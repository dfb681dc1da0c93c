"""`orders projections status`"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import typer

from api.commands.console import AsJson, print_json, print_text
from api.commands.projections.opening import opened
from projections.status import Standing, Status


def status(as_json: AsJson = False) -> None:
    """Show position, lag, generation, errors, and whether anybody follows the log.

    Exit codes: 0 all is well, 1 something needs attention, 2 not possible.
    """
    with opened() as models:
        found = models.status()
    if as_json:
        print_json({**asdict(found), "fine": found.fine})
    else:
        print_text(*_status_lines(found))
    raise typer.Exit(0 if found.fine else 1)


def _status_lines(found: Status) -> Iterator[str]:
    leader = found.leader
    if found.head is None:
        yield "ALARM: the log cannot be read, so no lag is known"
    if leader.stale:
        seen = "nobody ever" if leader.age_s is None else f"last heard of {leader.age_s:.0f} s ago"
        yield f"ALARM: nobody follows the log ({seen}); start orders serve or orders work"
    else:
        yield f"followed by {leader.owner}, heard of {leader.age_s or 0:.1f} s ago; the log ends at {found.head or 0:,}"
    for standing in found.projections:
        yield (
            f"{standing.name:<18} generation {standing.generation or 0:<3} position {standing.position:>10,}"
            f"  behind {standing.lag_events:,} events, {standing.lag_s:.1f} s"
        )
        yield from (f"    {line}" for line in _remarks(standing))


def _remarks(standing: Standing) -> Iterator[str]:
    if standing.rebuild_needed:
        yield f"rebuild needed: its code has changed; run: orders projections rebuild {standing.name}"
    if standing.waits_for_decision:
        yield f"generation {standing.building} was rebuilt and differs (digest {standing.waits_for_decision})"
    elif standing.building is not None:
        yield f"generation {standing.building} is being built, at position {standing.building_position or 0:,}"
    if standing.dead_letters:
        yield f"{standing.dead_letters} events are set aside; see: orders dead-letters list"
    if standing.last_error:
        yield f"last error: {standing.last_error}"

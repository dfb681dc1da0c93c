"""What became of a rebuild or a check, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.commands.console import print_json, print_text
from projections.digests import Difference
from projections.rebuilding import Outcome


def show_outcomes(outcomes: list[Outcome], *, as_json: bool, verb: str) -> None:
    if as_json:
        print_json({"projections": [_as_json(outcome) for outcome in outcomes]})
        return
    for outcome in outcomes:
        comparison = outcome.comparison
        at = f"{comparison.rebuilt.rows:,} rows at position {comparison.position:,} in {outcome.seconds:.1f} s"
        if outcome.switched or comparison.equal:
            switched = f", switched in {outcome.switch_s * 1000:.1f} ms" if outcome.switch_s is not None else ""
            print_text(f"{outcome.projection}: {verb}; generation {outcome.generation}, {at}{switched}")
            continue
        print_text(f"{outcome.projection}: DIFFERENT; {at}; served: {_rows(outcome)}")
        print_text(*(line for difference in comparison.differences for line in _difference(difference)))
        if verb == "switched":
            print_text(
                f"  the served generation stays. If the rebuilt rows are right: orders projections rebuild"
                f" {outcome.projection} --accept {comparison.rebuilt.text} --reason TEXT"
            )


def _rows(outcome: Outcome) -> str:
    served = outcome.comparison.served
    return "other columns" if served is None else f"{served.rows:,} rows"


def _difference(difference: Difference) -> Iterator[str]:
    key = ", ".join(str(part) for part in difference.key)
    if difference.served is None or difference.rebuilt is None:
        missing = "served" if difference.served is None else "rebuilt"
        yield f"  {difference.table} [{key}]: not among the {missing} rows"
    for column, (served, rebuilt) in difference.columns.items():
        yield f"  {difference.table} [{key}] {column}: served {served!r}, rebuilt {rebuilt!r}"


def _as_json(outcome: Outcome) -> dict[str, Any]:
    comparison = outcome.comparison
    return {
        "projection": outcome.projection,
        "generation": outcome.generation,
        "switched": outcome.switched,
        "equal": comparison.equal,
        "position": comparison.position,
        "rows": comparison.rebuilt.rows,
        "digest": comparison.rebuilt.text,
        "served_digest": comparison.served.text if comparison.served else None,
        "seconds": round(outcome.seconds, 3),
        "built_seconds": round(outcome.built_s, 3),
        "switch_ms": None if outcome.switch_s is None else round(outcome.switch_s * 1000, 1),
        "differences": [
            {"table": d.table, "key": [str(part) for part in d.key], "served": d.served, "rebuilt": d.rebuilt}
            for d in comparison.differences
        ],
    }

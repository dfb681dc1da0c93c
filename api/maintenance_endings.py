"""What became of a job, in words: for the event that ends it and for the page that shows it."""

from __future__ import annotations

from collections.abc import Sequence

from application.audit.seals.verifying import Report
from application.maintenance import Ending
from projections.dead_letters import Tried
from projections.digests import Difference
from projections.rebuilding import Outcome


def of_rebuild(outcome: Outcome) -> Ending:
    """A rebuild, or rows that were accepted."""
    comparison = outcome.comparison
    at = f"{comparison.rebuilt.rows:,} rows at position {comparison.position:,}, {outcome.seconds:.1f} s"
    if outcome.switched:
        return Ending("switched", f"generation {outcome.generation} is served: {at}")
    text = f"generation {outcome.generation} differs and is not served: {at}, digest {comparison.rebuilt.text}"
    return Ending("different", text, tuple(_line(difference) for difference in comparison.differences))


def of_retry(tried: Sequence[Tried]) -> Ending:
    """Another try with what was set aside."""
    left = sum(one.left for one in tried)
    lines = tuple(
        f"{one.projection}: {one.applied} events of {one.stream_id} folded, {one.left} left"
        + (f"; {one.error}" if one.error else "")
        for one in tried
    )
    return Ending(
        "left" if left else "done", f"{left:,} events are still set aside" if left else "nothing is left", lines
    )


def of_verification(report: Report) -> Ending:
    """The log held against its checkpoints."""
    lines = tuple(
        f"{finding.kind.value} at position {finding.position:,}"
        + (f" to {finding.up_to:,}" if finding.up_to else "")
        + f": {finding.text}"
        for finding in report.findings
    )
    counted = f"{report.events:,} events and {report.checkpoints:,} checkpoints, {report.seconds:.1f} s"
    if lines:
        return Ending("failed", f"the log is not what was sealed: {counted}", lines)
    if not report.fine:
        return Ending("failed", f"nothing is sealed yet: {counted}")
    return Ending("done", f"the log is what was sealed: {counted}; {report.unsealed:,} newer events are not sealed yet")


def _line(difference: Difference) -> str:
    key = ", ".join(str(part) for part in difference.key)
    if difference.served is None or difference.rebuilt is None:
        return (
            f"{difference.table} [{key}] is not among the {'served' if difference.served is None else 'rebuilt'} rows"
        )
    columns = (f"{name}: served {a!r}, rebuilt {b!r}" for name, (a, b) in difference.columns.items())
    return f"{difference.table} [{key}] {'; '.join(columns)}"

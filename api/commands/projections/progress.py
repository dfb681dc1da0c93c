"""How far a rebuild has come, on stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from time import monotonic

from api.commands.console import errors
from projections.building import Progress, Report

PROGRESS_S = 0.5


def progress_report(*, as_json: bool) -> Report:
    """Percent, events per second and time left, on stderr, now and then and at the end."""
    last_s = 0.0

    def show(progress: Progress) -> None:
        nonlocal last_s
        if monotonic() - last_s < PROGRESS_S and progress.position < progress.target:
            return
        last_s = monotonic()
        if as_json:
            values = {**asdict(progress), "percent": round(progress.percent, 2)}
            sys.stderr.write(json.dumps(values) + "\n")
            return
        left = "?" if progress.eta_s is None else f"{progress.eta_s:.0f} s"
        errors.print(
            f"{progress.percent:6.2f} %  {progress.position:,} of {progress.target:,}"
            f"  {progress.events_per_s:,.0f} events/s  {left} left"
        )

    return show

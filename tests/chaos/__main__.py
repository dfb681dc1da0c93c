"""`python -m tests.chaos --seconds 60 [--seed N] [--json] [--folder D] [--late-s S]`; exit code 1: a broken promise."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.report import STORIES, story
from tests.chaos.run import Plan, run


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    asked.add_argument("--seconds", type=float, default=60.0, help="how long orders come in and faults happen")
    asked.add_argument("--seed", type=int, default=None, help="of every random decision; by default another each time")
    asked.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked.add_argument("--folder", type=Path, default=None, help="for the logs of all processes")
    asked.add_argument("--late-s", type=float, default=0.6, help="until late charges land; above 4 they are unexpected")
    given = asked.parse_args()
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    folder = given.folder or Path(tempfile.mkdtemp(prefix="orders-chaos-"))
    report, evidence = asyncio.run(run(Plan(given.seconds, seed, folder, late_s=given.late_s)))
    for broken in report.violations[:STORIES]:
        sys.stderr.write("\n".join(story(evidence, broken)) + "\n")
    text = json.dumps(report.as_data(), indent=2) if given.json else "\n".join(report.lines())
    sys.stdout.write(text + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())

"""`orders audit ...`: the commands of finance, one file each."""

from __future__ import annotations

import typer

app = typer.Typer(help="Explain, replay, verify, reconcile and close: the audit of the log.")

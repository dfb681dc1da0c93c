"""`orders projections ...`: how the read models stand; rebuild them, check them, go back to the one before."""

from __future__ import annotations

import typer

from api.commands.projections.opening import opened
from api.commands.projections.progress import PROGRESS_S
from api.commands.projections.rebuild import rebuild, rollback, verify
from api.commands.projections.status import status

__all__ = ["PROGRESS_S", "app", "opened"]

app = typer.Typer(help="The read models: rebuild them while people read, check them, go back.")
app.command()(status)
app.command()(rebuild)
app.command()(verify)
app.command()(rollback)

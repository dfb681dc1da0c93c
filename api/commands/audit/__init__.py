"""`orders audit ...`: the commands of finance, one file each."""

from __future__ import annotations

import typer

from api.commands.audit import breaks
from api.commands.audit.close import close, reproduce
from api.commands.audit.explain import explain
from api.commands.audit.export import export
from api.commands.audit.find import find
from api.commands.audit.looks import looks
from api.commands.audit.reconcile import reconcile
from api.commands.audit.replay import replay
from api.commands.audit.seals import seals
from api.commands.audit.verify import verify
from api.commands.audit.what_if import what_if

app = typer.Typer(help="Explain, replay, verify, reconcile and close: the audit of the log.")
app.command("find")(find)
app.command()(reconcile)
app.command()(verify)
app.command()(export)
app.command()(seals)
app.add_typer(breaks.app, name="breaks", no_args_is_help=True)
app.command()(close)
app.command()(reproduce)
app.command()(explain)
app.command()(replay)
app.command("what-if")(what_if)
app.command()(looks)

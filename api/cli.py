"""The command `orders`. Results go to stdout, progress and errors to stderr.

Exit codes: 0 done; 1 the command found something wrong, or what it asked for is not finished yet; 2 it could not be
carried out as asked.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from api.commands import audit, dead_letters, emails, ledger, notifications, payments, projections
from api.commands.console import AsJson, errors, fail, print_json, print_text, settings_or_fail
from api.commands.doctor import doctor
from api.commands.erase import erase

app = typer.Typer(
    help="Pay for orders and submit them: an event-sourced engine behind one HTTP call.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
directory_app = typer.Typer(help="Reference data: users, clients, sessions, cards, catalog, promotions.")
app.add_typer(directory_app, name="directory", no_args_is_help=True)
app.add_typer(payments.app, name="payments", no_args_is_help=True)
app.add_typer(emails.app, name="emails", no_args_is_help=True)
app.add_typer(notifications.app, name="notifications", no_args_is_help=True)
app.add_typer(projections.app, name="projections", no_args_is_help=True)
app.add_typer(dead_letters.app, name="dead-letters", no_args_is_help=True)
app.add_typer(ledger.app, name="ledger", no_args_is_help=True)
app.add_typer(audit.app, name="audit", no_args_is_help=True)

app.command()(erase)
app.command()(doctor)

Host = Annotated[str, typer.Option(help="Address to listen on.")]


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes; above 1 needs PostgreSQL.")] = 1,
    work: Annotated[bool, typer.Option("--work/--no-work", help="Also do the background work.")] = True,
) -> None:
    """Serve the HTTP API, and do the background work beside it."""
    from api import serving
    from api.startup import StartRefused, prepare

    settings = settings_or_fail()
    if workers > 1 and settings.database_url.startswith("sqlite"):
        fail("SQLite has one writer process: use --workers 1, or set ORDERS_DATABASE_URL to a PostgreSQL database")
    try:
        asyncio.run(prepare(settings))
        serving.serve(host, port, workers, work=work)
    except (StartRefused, serving.PortTaken) as refused:
        fail(*str(refused).split("\n"))


@app.command()
def work() -> None:
    """Do the background work alone, for servers started with --no-work."""
    from api.startup import StartRefused, prepare, work_until_stopped

    settings = settings_or_fail()
    try:
        asyncio.run(prepare(settings))
    except StartRefused as refused:
        fail(*str(refused).split("\n"))
    errors.print("orders: working; stop with Ctrl-C")
    asyncio.run(work_until_stopped(settings))


@app.command()
def migrate() -> None:
    """Create every table that is missing. Safe to run at any time."""
    from api.bootstrap import migrate as create_tables

    asyncio.run(create_tables(settings_or_fail()))
    errors.print("orders: the databases are up to date")


@app.command()
def sandbox(
    host: Host = "127.0.0.1",
    gateway_port: Annotated[int, typer.Option(help="Port of the Authorize.net sandbox.")] = 8901,
    mail_port: Annotated[int, typer.Option(help="Port of the Mandrill sandbox.")] = 8902,
) -> None:
    """Start the local servers that speak Authorize.net's and Mandrill's wire protocols, and nothing else."""
    from api.sandbox.servers import run_until_stopped

    asyncio.run(run_until_stopped(settings_or_fail(), host, gateway_port, mail_port))


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Exit after the table; 0 only if every ending is right.")
    ] = False,
    as_json: AsJson = False,
    port: Annotated[int, typer.Option(help="Port of the API; 0 takes a free one.")] = 8000,
) -> None:
    """Try every ending against local sandboxes, show what each one wrote, then keep serving."""
    from api.demo.run import run_demo

    raise typer.Exit(asyncio.run(run_demo(once=once, as_json=as_json, port=0 if once else port)))


@directory_app.command("import")
def import_directory(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A directory file (JSON).")],
    as_json: AsJson = False,
) -> None:
    """Import reference data. A section that the file has is taken whole; one that it lacks stays as it is."""
    from api.directory_import import ImportRefused, import_file, report_lines

    try:
        report = asyncio.run(import_file(settings_or_fail(), file))
    except ImportRefused as refused:
        fail(*str(refused).split("\n"))
    if as_json:
        print_json(report)
    else:
        print_text(*report_lines(report))


def main() -> None:
    """The entry point of the command."""
    app()

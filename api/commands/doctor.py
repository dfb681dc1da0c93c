"""`orders doctor`: is everything as it should be, and what to do where it is not."""

from __future__ import annotations

import asyncio
from typing import Any

import typer
from rich.markup import escape

from api.commands.console import AsJson, errors, print_json
from api.doctor.finding import Check, Result, Verdict
from api.settings import SettingsError, load_settings

MARKS = {Verdict.OK: "ok", Verdict.WARN: "WARN", Verdict.FAIL: "FAIL", Verdict.SKIPPED: "-"}


def doctor(as_json: AsJson = False) -> None:
    """Check settings, databases, clocks, gateway, mail, workers and stored data. Changes nothing, charges nothing.

    The checks run side by side and take some seconds at most. No secret is printed.

    Exit codes: 0 all is fine, 1 warnings only, 2 at least one failure.
    """
    from api.doctor.report import exit_code

    results = asyncio.run(_examined())
    code = exit_code(results)
    if as_json:
        print_json({"exit_code": code, "checks": [_shown(result) for result in results]})
    else:
        for result in results:
            typer.echo(_line(result))
    raise typer.Exit(code)


async def _examined() -> list[Result]:
    from api.doctor.checks import checks_of, unreadable
    from api.doctor.patient import Patient

    try:
        patient = Patient(load_settings())
    except SettingsError as refused:
        return await _run([unreadable(refused.problems)])
    try:
        return await _run(checks_of(patient))
    finally:
        await patient.close()


async def _run(checks: list[Check]) -> list[Result]:
    from api.doctor.report import examine

    open_checks = [check.name for check in checks]
    with errors.status("orders: looking") as status:

        def tell(name: str) -> None:
            open_checks.remove(name)
            status.update(escape(f"orders: looking at {', '.join(open_checks[:4])}"))

        return await examine(checks, tell)


def _line(result: Result) -> str:
    finding = result.finding
    line = f"{MARKS[finding.verdict]:<5} {result.name:<15} {finding.seen}"
    return f"{line}\n{'':<21} fix: {finding.fix}" if finding.fix else line


def _shown(result: Result) -> dict[str, Any]:
    finding = result.finding
    return {
        "name": result.name,
        "verdict": finding.verdict,
        "seen": finding.seen,
        "fix": finding.fix,
        "took_ms": result.took_ms,
    }

"""`orders projections rebuild`, `verify` and `rollback`"""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.console import AsJson, fail, print_json, print_text
from api.commands.projections.opening import All, Name, models_wanted, opened
from api.commands.projections.outcomes import show_outcomes
from api.commands.projections.progress import progress_report


def rebuild(
    name: Name = None,
    every: All = False,
    accept: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Serve the rebuilt rows that were found to differ.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why they are right; kept.")] = None,
    as_json: AsJson = False,
) -> None:
    """Build the next generation from the log beside the one that is served, compare, and switch.

    A killed rebuild goes on where it was. Exit codes: 0 switched; 2 the rows differ, or it could not be done: the
    served generation stays.
    """
    wanted = models_wanted(name, every=every)
    report = progress_report(as_json=as_json)
    with opened() as models:
        models.follow_if_nobody_does()
        if accept is None:
            outcomes = models.rebuilder.rebuild(wanted, report)
        elif name is None or not reason:
            fail("--accept takes one NAME and a --reason")
        else:
            outcomes = [models.rebuilder.accept(wanted[0], accept, reason)]
    show_outcomes(outcomes, as_json=as_json, verb="switched")
    raise typer.Exit(0 if all(outcome.switched for outcome in outcomes) else 2)


def verify(name: Name = None, as_json: AsJson = False) -> None:
    """Fold the log afresh and compare with what is served; without a name, all of them.

    Exit codes: 0 the same, 1 a difference, 2 not possible.
    """
    wanted = models_wanted(name, every=name is None)
    with opened() as models:
        models.follow_if_nobody_does()
        outcomes = models.rebuilder.verify(wanted, progress_report(as_json=as_json))
    show_outcomes(outcomes, as_json=as_json, verb="the same")
    raise typer.Exit(0 if all(outcome.comparison.equal for outcome in outcomes) else 1)


def rollback(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    reason: Annotated[str | None, typer.Option(help="Why; kept.")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the generation before the present one again. Exit codes: 0 done, 2 not possible."""
    (model,) = models_wanted(name, every=False)
    with opened() as models:
        place, took_s = models.rebuilder.roll_back(model, reason)
    if as_json:
        print_json({"projection": name, "generation": place.number, "switch_ms": round(took_s * 1000, 1)})
    else:
        print_text(f"{name}: generation {place.number} is served again ({took_s * 1000:.1f} ms)")

"""`orders projections`: how the read models stand; rebuild them, check them, go back to the one before."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from time import monotonic
from typing import Annotated, Any
from uuid import uuid4

import typer
from sqlalchemy.exc import SQLAlchemyError

from api.bootstrap import policy_of
from api.commands.console import AsJson, errors, fail, print_json, print_text, settings_or_fail
from api.logs import configure_logging
from api.read_models import MODELS, ReadModels, model_named
from projections.building import Progress, Report
from projections.comparing import ServedIsBehind
from projections.digests import Difference
from projections.log import TopicNotKnown
from projections.model import NotFolded, ReadModel
from projections.rebuilding import NotPossible, Outcome
from projections.status import Standing, Status
from projections.switching import ChangedMeanwhile
from projections.topics import UnknownTopics

PROGRESS_S = 0.5

app = typer.Typer(help="The read models: rebuild them while people read, check them, go back.")

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="One of: " + ", ".join(m.name for m in MODELS))]
All = Annotated[bool, typer.Option("--all", help="All of them, in one pass over the log.")]


@contextmanager
def opened() -> Iterator[ReadModels]:
    """The read models, for one command. What cannot be done ends it with exit code 2."""
    settings = settings_or_fail()
    configure_logging(settings)
    models = ReadModels(settings, policy_of(settings), f"command-{uuid4().hex[:8]}")
    try:
        yield models
    except (NotPossible, ServedIsBehind, ChangedMeanwhile) as refused:
        fail(str(refused))
    except NotFolded as failed:
        fail(f"stopped at an event that cannot be folded: {failed}")
    except UnknownTopics as unknown:
        fail(str(unknown))
    except TopicNotKnown as unknown:
        fail(f"the log holds what this version cannot read: {unknown}; see: orders projections status")
    except SQLAlchemyError as error:
        fail(
            f"ORDERS_DATABASE_URL: the database cannot be used now ({type(error).__name__});"
            " is it the right one, and has it been migrated (orders migrate)?"
        )
    finally:
        asyncio.run(models.close())


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show position, lag, generation, errors, and whether anybody follows the log.

    Exit codes: 0 all is well, 1 something needs attention, 2 not possible.
    """
    with opened() as models:
        found = models.status()
    if as_json:
        print_json({**asdict(found), "fine": found.fine})
    else:
        print_text(*_status_lines(found))
    raise typer.Exit(0 if found.fine else 1)


@app.command()
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
    wanted = _wanted(name, every=every)
    report = _progress(as_json=as_json)
    with opened() as models:
        models.follow_if_nobody_does()
        if accept is None:
            outcomes = models.rebuilder.rebuild(wanted, report)
        elif name is None or not reason:
            fail("--accept takes one NAME and a --reason")
        else:
            outcomes = [models.rebuilder.accept(wanted[0], accept, reason)]
    _show(outcomes, as_json=as_json, verb="switched")
    raise typer.Exit(0 if all(outcome.switched for outcome in outcomes) else 2)


@app.command()
def verify(name: Name = None, as_json: AsJson = False) -> None:
    """Fold the log afresh and compare with what is served; without a name, all of them.

    Exit codes: 0 the same, 1 a difference, 2 not possible.
    """
    wanted = _wanted(name, every=name is None)
    with opened() as models:
        models.follow_if_nobody_does()
        outcomes = models.rebuilder.verify(wanted, _progress(as_json=as_json))
    _show(outcomes, as_json=as_json, verb="the same")
    raise typer.Exit(0 if all(outcome.comparison.equal for outcome in outcomes) else 1)


@app.command()
def rollback(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    reason: Annotated[str | None, typer.Option(help="Why; kept.")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the generation before the present one again. Exit codes: 0 done, 2 not possible."""
    (model,) = _wanted(name, every=False)
    with opened() as models:
        place, took_s = models.rebuilder.roll_back(model, reason)
    if as_json:
        print_json({"projection": name, "generation": place.number, "switch_ms": round(took_s * 1000, 1)})
    else:
        print_text(f"{name}: generation {place.number} is served again ({took_s * 1000:.1f} ms)")


def _wanted(name: str | None, *, every: bool) -> list[ReadModel]:
    if every == (name is not None):
        fail("give one NAME, or --all")
    if name is None:
        return list(MODELS)
    model = model_named(name)
    if model is None:
        fail("there is no such projection; there are: " + ", ".join(model.name for model in MODELS))
    return [model]


def _progress(*, as_json: bool) -> Report:
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


def _show(outcomes: list[Outcome], *, as_json: bool, verb: str) -> None:
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


def _status_lines(found: Status) -> Iterator[str]:
    leader = found.leader
    if found.head is None:
        yield "ALARM: the log cannot be read, so no lag is known"
    if leader.stale:
        seen = "nobody ever" if leader.age_s is None else f"last heard of {leader.age_s:.0f} s ago"
        yield f"ALARM: nobody follows the log ({seen}); start orders serve or orders work"
    else:
        yield f"followed by {leader.owner}, heard of {leader.age_s or 0:.1f} s ago; the log ends at {found.head or 0:,}"
    for standing in found.projections:
        yield (
            f"{standing.name:<18} generation {standing.generation or 0:<3} position {standing.position:>10,}"
            f"  behind {standing.lag_events:,} events, {standing.lag_s:.1f} s"
        )
        yield from (f"    {line}" for line in _remarks(standing))


def _remarks(standing: Standing) -> Iterator[str]:
    if standing.rebuild_needed:
        yield f"rebuild needed: its code has changed; run: orders projections rebuild {standing.name}"
    if standing.waits_for_decision:
        yield f"generation {standing.building} was rebuilt and differs (digest {standing.waits_for_decision})"
    elif standing.building is not None:
        yield f"generation {standing.building} is being built, at position {standing.building_position or 0:,}"
    if standing.dead_letters:
        yield f"{standing.dead_letters} events are set aside; see: orders dead-letters list"
    if standing.last_error:
        yield f"last error: {standing.last_error}"

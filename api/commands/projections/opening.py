"""The read models for one command, and what it is told: a name or all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import uuid4

import typer
from sqlalchemy.exc import SQLAlchemyError

from api.bootstrap import policy_of
from api.commands.console import fail, settings_or_fail
from api.logs import configure_logging
from api.read_models import MODELS, ReadModels, model_named
from projections.comparing import ServedIsBehind
from projections.log import TopicNotKnown
from projections.model import NotFolded, ReadModel
from projections.rebuilding import NotPossible
from projections.switching import ChangedMeanwhile
from projections.topics import UnknownTopics

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


def models_wanted(name: str | None, *, every: bool) -> list[ReadModel]:
    if every == (name is not None):
        fail("give one NAME, or --all")
    if name is None:
        return list(MODELS)
    model = model_named(name)
    if model is None:
        fail("there is no such projection; there are: " + ", ".join(model.name for model in MODELS))
    return [model]

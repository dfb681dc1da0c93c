"""The stored log, for commands that read it and nothing else."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from api.commands.console import fail, settings_or_fail
from api.logs import configure_logging
from application.adapters.log_scan import LogScan
from application.adapters.sql import make_engine
from application.event_codec import CorruptEvent, UnknownTopic


@contextmanager
def opened_log() -> Iterator[LogScan]:
    """The log of ORDERS_DATABASE_URL. What cannot be done ends the command with exit code 2.

    Meanwhile nothing is collected: a pass over the log makes millions of values and no cycles, and looking for some
    takes a third of its time.
    """
    settings = settings_or_fail()
    configure_logging(settings)
    engine = make_engine(settings.database_url)
    collects = gc.isenabled()
    gc.disable()
    try:
        yield LogScan(engine)
    except (CorruptEvent, UnknownTopic) as unreadable:
        fail(f"the log holds what this version cannot read: {unreadable}")
    except SQLAlchemyError as error:
        fail(
            f"ORDERS_DATABASE_URL: the database cannot be used now ({type(error).__name__});"
            " is it the right one, and has it been migrated (orders migrate)?"
        )
    finally:
        if collects:
            gc.enable()
        engine.dispose()

"""What happens before a process serves or works: the settings are judged, the tables made, durability checked."""

from __future__ import annotations

import asyncio
import signal

from api.bootstrap import Service, migrate
from api.logs import configure_logging
from api.production import production_problems
from api.read_models import require_readable
from api.settings import Settings
from application.adapters.durability import durability_problems
from application.ports import DirectoryUnavailable
from projections.registry import RebuildNeeded
from projections.topics import UnknownTopics


class StartRefused(Exception):
    """The process must not start; the text names each setting and what to change, a line each."""


async def prepare(settings: Settings) -> None:
    """Migrate the databases, unless the settings forbid a start. Raises StartRefused."""
    configure_logging(settings)
    if settings.in_production and (problems := production_problems(settings)):
        raise StartRefused("\n".join(problems))
    try:
        await migrate(settings)
        await asyncio.to_thread(require_readable, settings)
    except (UnknownTopics, RebuildNeeded) as refused:
        raise StartRefused(str(refused)) from refused
    except Exception as error:
        raise StartRefused(f"ORDERS_DATABASE_URL: the database cannot be migrated ({type(error).__name__})") from error
    if settings.in_production:
        await _require_production_data(settings)


async def _require_production_data(settings: Settings) -> None:
    problems = await asyncio.to_thread(durability_problems, settings.database_url)
    service = Service(settings)
    try:
        if await service.directory.has_example_tokens():
            problems.append("the directory holds example tokens; import one whose tokens are secret")
    except DirectoryUnavailable:
        problems.append("ORDERS_DATABASE_URL: the directory cannot be read")
    finally:
        await service.close()
    if problems:
        raise StartRefused("\n".join(problems))


async def work_until_stopped(settings: Settings) -> None:
    """Do the background work until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    service = Service(settings)
    service.start_work()
    try:
        await stopped.wait()
    finally:
        await service.close()

"""The command `orders` as processes of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from api.cli import main; main()")
START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0


async def orders(settings: Settings, *arguments: str) -> str:
    """Run the command to its end; what it wrote to stdout."""
    process = await _started(settings, *arguments)
    out, _ = await asyncio.wait_for(process.communicate(), START_LIMIT_S)
    assert process.returncode == 0
    return out.decode()


@asynccontextmanager
async def serving(settings: Settings, count: int) -> AsyncIterator[tuple[str, ...]]:
    """So many processes of `orders serve` on one database; their URLs."""
    processes = [await _started(settings, "serve", "--port", "0") for _ in range(count)]
    try:
        yield tuple(await asyncio.gather(*(_url(process) for process in processes)))
    finally:
        for process in processes:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(asyncio.wait_for(process.communicate(), STOP_LIMIT_S) for process in processes))


async def _started(settings: Settings, *arguments: str) -> Process:
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {
        f"{PREFIX}DATABASE_URL": settings.database_url,
        f"{PREFIX}KEY_STORE_URL": settings.key_store_url,
        f"{PREFIX}AUTHORIZENET_URL": settings.authorizenet_url,
        f"{PREFIX}MANDRILL_URL": settings.mandrill_url,
    }
    return await asyncio.create_subprocess_exec(*COMMAND, *arguments, cwd=ROOT, env=own | given, stdout=PIPE)


async def _url(process: Process) -> str:
    """From the one line that a server prints once it is ready."""
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), START_LIMIT_S)).decode()
    assert "http://" in line, "the server did not start"
    return line.split()[-1]

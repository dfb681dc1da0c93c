"""Logging: one line per record on stderr, at the level of the settings. No record holds what a client submitted."""

from __future__ import annotations

import logging

from api.settings import Settings

# Libraries that write out requests, statements or keys at DEBUG. Theirs to debug, not ours to show.
_TALKATIVE = ("authorizenet", "pyxb", "aiohttp", "urllib3", "requests", "sqlalchemy", "asyncio", "httptools", "uvicorn")


def configure_logging(settings: Settings) -> None:
    """Set the level for our own loggers; libraries stay at warnings, the server's own at its information."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    level = settings.log_level.upper()
    for name in ("api", "application", "projections"):
        logging.getLogger(name).setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)

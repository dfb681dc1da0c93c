"""What the commands over the seals share: the log with its seals, opened for one command, and progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from api.commands.console import errors, fail, settings_or_fail
from api.logs import configure_logging

if TYPE_CHECKING:
    from api.seals import SealedLog  # with SQLAlchemy and cryptography: only a command that runs needs it

PROGRESS_S = 1.0


@contextmanager
def sealed_log() -> Iterator[SealedLog]:
    """What cannot be done ends the command with exit code 2."""
    from api.seals import SealedLog
    from application.audit.seals.storing import StoreFailed

    settings = settings_or_fail()
    configure_logging(settings)
    log = SealedLog(settings)
    try:
        yield log
    except StoreFailed as error:
        fail(
            f"ORDERS_DATABASE_URL: the database cannot be used now ({error});"
            " is it the right one, and has it been migrated (orders migrate)?"
        )
    except OSError as error:
        fail(f"a file cannot be used: {error.strerror} ({error.filename})")
    finally:
        log.close()


def progress(*, as_json: bool) -> Callable[[int, int], None]:
    """Shows a position and its target on stderr, now and then once it has taken a while."""
    began_s = last_s = monotonic()

    def show(position: int, target: int) -> None:
        nonlocal last_s
        now_s = monotonic()
        if now_s - last_s < PROGRESS_S:
            return
        last_s = now_s
        share = position / max(target, 1)
        left_s = (now_s - began_s) * (1 - share) / max(share, 1e-6)
        if as_json:
            values = {"position": position, "target": target, "percent": round(100 * share, 1), "eta_s": round(left_s)}
            sys.stderr.write(json.dumps(values) + "\n")
        else:
            errors.print(f"{100 * share:6.1f} %  {position:,} of {target:,}  {left_s:,.0f} s left")

    return show

"""`orders serve` with a timer around its stages: SIGUSR1 starts anew, SIGUSR2 writes the report to STAGES_FILE."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.benchmarks.stage_timer import StageTimer

# On the event loop, in the order of a request. A target that a later version has not is left out.
COROUTINES: Final = (
    ("FastAPI and Starlette", "fastapi:FastAPI.__call__"),
    ("the route itself", "api.pay_and_submit.route:PayAndSubmit.__call__"),
    ("identify the route", "api.identification:identify_route"),
    ("decode", "api.decoding:decode_params"),
    ("authenticate", "api.authentication:Authenticator.authenticate"),
    ("authenticate", "api.authentication:application_asked"),
    ("rate limit", "api.authentication:Authenticator.hold_to_limit"),
    ("validate, build the command", "api.pay_and_submit.command:CommandBuilder.build"),
    ("directory: order inputs", "application.adapters.directory.reads:SqlDirectory.order_inputs"),
    ("process manager", "application.pay_and_submit:PayAndSubmit.__call__"),
    ("seal personal data", "application.submissions:seal_personal"),
    ("T1", "application.pay_and_submit:PayAndSubmit._commit_intent"),
    ("T1: load", "application.order_streams:OrderStreams.load"),
    ("charge", "application.adapters.authorizenet.gateway:AuthorizeNetGateway.charge"),
    ("charge: transport", "application.adapters.authorizenet.transport:Transport.post"),
    ("T2", "application.pay_and_submit:PayAndSubmit._commit_outcome"),
    ("X2, T3", "application.confirmation:Confirm.__call__"),
    ("mail", "application.adapters.mandrill.mailer:MandrillMailer.send"),
    ("mail: transport", "application.adapters.mandrill.transport:PooledApiClient.call_api"),
    ("answer", "api.pay_and_submit.route:PayAndSubmit._answer"),
    ("answer: read the order again", "application.order_reading:OrderReading.read"),
    ("projections", "projections.projector:Projector.catch_up"),
    ("background worker", "application.work:Worker.run_due"),
)
FUNCTIONS: Final = (
    ("T1: decide", "domain.submission:decide"),
    ("charge: build the request", "application.adapters.authorizenet.charge_template:charge_bytes"),
    ("charge: read the answer", "application.adapters.authorizenet.interpretation:charge_outcome"),
    ("mail: write the receipt", "application.confirmation:emails_for"),
    ("answer: encode", "api.envelope:Envelope.response"),
)
IN_THREADS: Final = (("thread: SQLite writer", "application.adapters.recorders.sqlite_writer:SqliteWriter._write"),)


def install(timer: StageTimer) -> None:
    import api.app
    import api.serving  # noqa: F401  # everything must be imported before it is replaced

    timer.replace("application.event_log:EventLog.save", timer.coroutine(_save))
    for label, target in COROUTINES:
        timer.replace(target, timer.coroutine(label))
    for label, target in FUNCTIONS:
        timer.replace(target, timer.function(label))
    for label, target in IN_THREADS:
        timer.replace(target, timer.in_thread(label))
    timer.replace("application.adapters.sql:SqlThreads.run_blocking", _blocking(timer))


def _save(stack: list[str]) -> str:
    """Which of the three commits it is, by the stage around it."""
    around = next((name for name in reversed(stack) if name in {"T1", "T2", "X2, T3"}), "other")
    return f"{around.removeprefix('X2, ')}: encode and save"


def _blocking(timer: StageTimer) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
    """SQL on a thread: the hop is charged to the stage around, the work to the pool's own stage."""

    def wrap(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def timed(self: Any, call: Callable[[], Any], **named: Any) -> Any:
            label = f"thread: {self._threads._thread_name_prefix}"
            return await original(self, timer.in_thread(label)(call), **named)

        return timed

    return wrap


def main() -> None:
    timer, file = StageTimer(), Path(os.environ["STAGES_FILE"])
    install(timer)

    def write(*_: object) -> None:
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.json.encode(timer.report()))
        unfinished.rename(file)

    signal.signal(signal.SIGUSR1, lambda *_: timer.reset())
    signal.signal(signal.SIGUSR2, write)

    from api.cli import main as orders

    orders()


if __name__ == "__main__":
    main()

"""Orders over HTTP on two servers that take turns: `orders serve` as it is, and the same without its sealer."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median, stdev
from typing import Final

from tests.benchmarks.load import client
from tests.benchmarks.matrix import Running
from tests.benchmarks.places import place, vendors
from tests.benchmarks.targets import PRODUCT, Target, product
from tests.benchmarks.vendor_control import Control

_NO_SEALER: Final = """
import asyncio, sys
from application.audit.seals.sealer import Sealer
async def nothing(self): await asyncio.Event().wait()
Sealer.run = nothing
"""
_WORK: Final = f"{_NO_SEALER}\nfrom api.work_process import main; main()"
_UNSEALED: Final = f"""{_NO_SEALER}
from api import work_process
work_process.COMMAND = (sys.executable, "-c", {_WORK!r})
from api.cli import main
main()
"""
WITHOUT: Final = Target(
    "without sealing", partial(product, command=(sys.executable, "-c", _UNSEALED, "serve")), PRODUCT.warm_up
)
WITH: Final = Target("with sealing", product, PRODUCT.warm_up)


@dataclass(frozen=True)
class SideBySide:
    """Medians of the rounds; CPU is that of the server, its background work included."""

    orders_per_s_without: float
    orders_per_s_with: float
    difference_percent: float  # of the rounds' own differences
    noise_percent: float  # how far the rounds without sealing lie apart
    order_cpu_ms_without: float
    order_cpu_ms_with: float


def side_by_side(kind: str, concurrency: int, rounds: int, seconds: float) -> SideBySide:
    with ExitStack() as stack:
        where = stack.enter_context(place(kind))
        control = Control(stack.enter_context(vendors(where.folder)).url)
        sender = stack.enter_context(client())
        plain, sealing = (
            Running(target, stack.enter_context(target.start(where, control.url, 1)), where, sender, control)
            for target in (WITHOUT, WITH)
        )
        for one in (plain, sealing):
            one.warm_up()
        turns = [(plain.sample(concurrency, seconds), sealing.sample(concurrency, seconds)) for _ in range(rounds)]
    rates = [without.orders_per_s for without, _ in turns]
    return SideBySide(
        orders_per_s_without=median(rates),
        orders_per_s_with=median(sealed.orders_per_s for _, sealed in turns),
        difference_percent=100 * median(1 - sealed.orders_per_s / without.orders_per_s for without, sealed in turns),
        noise_percent=100 * stdev(rates) / median(rates),
        order_cpu_ms_without=median(without.server_cpu_ms for without, _ in turns),
        order_cpu_ms_with=median(sealed.server_cpu_ms for _, sealed in turns),
    )

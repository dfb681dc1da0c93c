"""Runs checks side by side, those that build on others after them, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from api.doctor.finding import Check, Finding, Result, Verdict, fail

LIMIT_S = 15.0  # for one check: longer than the databases' and vendors' own limits
OK, WARNED, FAILED = 0, 1, 2  # exit codes


async def examine(checks: Sequence[Check], tell: Callable[[str], None] = lambda _: None) -> list[Result]:
    """The results, in the order of the checks. `tell` hears the name of each check that has ended."""
    tasks: dict[str, asyncio.Task[Result]] = {}

    async def examined(check: Check) -> Result:
        needed = [await tasks[name] for name in check.needs]
        began_s = monotonic()
        broken = [result.name for result in needed if result.finding.verdict in (Verdict.FAIL, Verdict.SKIPPED)]
        finding = Finding(Verdict.SKIPPED, f"not looked at: {broken[0]} comes first") if broken else await _look(check)
        tell(check.name)
        return Result(check.name, finding, round((monotonic() - began_s) * 1000))

    for check in checks:  # what a check needs stands before it
        tasks[check.name] = asyncio.create_task(examined(check))
    return list(await asyncio.gather(*tasks.values()))


async def _look(check: Check) -> Finding:
    try:
        async with asyncio.timeout(LIMIT_S):
            return await check.look()
    except TimeoutError:
        return fail(f"no answer within {LIMIT_S:.0f} s", "find out what hangs, then: orders doctor")
    except Exception as error:  # whatever it is, the other checks go on; its text may hold what must not be shown
        return fail(f"could not be looked at ({type(error).__name__})", "see the messages of orders serve")


def exit_code(results: Iterable[Result]) -> int:
    """0 all is fine, 1 warnings only, 2 at least one failure."""
    verdicts = {result.finding.verdict for result in results}
    if Verdict.FAIL in verdicts:
        return FAILED
    return WARNED if Verdict.WARN in verdicts else OK

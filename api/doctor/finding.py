"""What a check has found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"  # orders are taken, and something should be done soon
    FAIL = "fail"  # orders are not taken, or not carried out to the end, or not safely
    SKIPPED = "skipped"  # could not be looked at, because of another failure


@dataclass(frozen=True)
class Finding:
    """What was seen, without any secret, and what to do: a command or a setting wherever there is one."""

    verdict: Verdict
    seen: str
    fix: str | None = None


@dataclass(frozen=True)
class Check:
    """One thing to look at. It is skipped while one of `needs` has failed."""

    name: str
    look: Callable[[], Awaitable[Finding]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """How a check ended."""

    name: str
    finding: Finding
    took_ms: int


def ok(seen: str) -> Finding:
    return Finding(Verdict.OK, seen)


def warn(seen: str, fix: str) -> Finding:
    return Finding(Verdict.WARN, seen, fix)


def fail(seen: str, fix: str) -> Finding:
    return Finding(Verdict.FAIL, seen, fix)

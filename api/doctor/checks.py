"""The list of the checks, and what each of them needs to make sense."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from functools import partial

from api.doctor import records, storage, vendors, work
from api.doctor.finding import Check, Finding, fail, ok, warn
from api.doctor.patient import Patient
from api.production import production_problems
from api.settings import PREFIX, Settings, known_variables, unknown_variables
from api.stand_ins import money_is_real

Look = Callable[[Patient], Awaitable[Finding]]

# In the order in which faults are mended best; what a check needs stands before it.
_CHECKS: tuple[tuple[str, Look, tuple[str, ...]], ...] = (
    ("database", storage.database, ()),
    ("key-database", storage.key_database, ()),
    ("durability", storage.durability, ("database", "key-database")),
    ("schema", storage.schema, ("database", "key-database")),
    ("topics", storage.topics, ("schema",)),
    ("keys", records.keys, ("schema",)),
    ("directory", records.directory, ("schema",)),
    ("gateway", vendors.gateway, ()),
    ("mail", vendors.mail, ()),
    ("database-clock", vendors.database_clock, ("database",)),
    ("gateway-clock", vendors.gateway_clock, ("gateway",)),
    ("workers", work.workers, ("schema",)),
    ("stuck-work", work.stuck_work, ("schema",)),
    ("projections", work.projections, ("schema",)),
    ("seals", work.seals, ("schema",)),
    ("notifications", work.notifications, ("schema",)),
    ("erasures", records.erasures, ("topics", "keys")),
    ("disk", storage.disk, ()),
)


def checks_of(patient: Patient) -> list[Check]:
    """All checks of an installation whose settings can be read."""
    settings = Check("settings", partial(_settings, patient.settings))
    return [settings, *(Check(name, partial(look, patient), needs) for name, look, needs in _CHECKS)]


def unreadable(problems: list[str]) -> Check:
    """Settings that cannot be used: nothing else can be looked at."""

    async def look() -> Finding:
        return fail("; ".join(problems), f"correct {problems[0].partition(':')[0]}")

    return Check("settings", look)


async def _settings(settings: Settings) -> Finding:
    """No variable is misspelt, and production runs on production's settings."""
    if settings.in_production and (problems := production_problems(settings)):
        return fail("; ".join(problems), f"set {problems[0].partition(' ')[0]}")
    if unknown := unknown_variables():
        return warn(f"unknown: {', '.join(unknown)}", "; ".join(_meant(name) for name in unknown))
    if settings.in_production:
        return ok("production, with real keys")
    if money_is_real(settings):
        return warn("development, with a gateway that moves real money", f"set {PREFIX}ENVIRONMENT=production")
    return ok("development: example keys and the sandbox are allowed")


def _meant(name: str) -> str:
    nearest = difflib.get_close_matches(name, known_variables(), n=1)
    return f"rename {name} to {nearest[0]}" if nearest else f"remove {name}"

"""Checks of what is outside: the gateway, the mail provider, and whether all clocks agree."""

from __future__ import annotations

from time import time

from api.doctor.finding import Finding, fail, ok, warn
from api.doctor.patient import Patient
from api.settings import SANDBOX_AUTHORIZENET_URL, SANDBOX_MANDRILL_URL
from application.adapters.http_date import NoDate, clock_ahead_s
from application.adapters.recorders import is_postgresql
from application.ports import LookupFailed
from projections.leases import clock_s

WARN_S, FAIL_S = 2.0, 30.0  # a clock that is off; the guards of the money path count in seconds


async def gateway(patient: Patient) -> Finding:
    """Authorize.net answers and takes our keys (authenticateTestRequest: nothing is charged)."""
    url = patient.settings.authorizenet_url
    try:
        accepted = await patient.gateway.check_keys()
    except LookupFailed as failure:
        start = "orders sandbox" if url == SANDBOX_AUTHORIZENET_URL else "check ORDERS_AUTHORIZENET_URL and the network"
        return fail(f"the gateway gives no usable answer ({failure.reason})", start)
    if not accepted:
        keys = "ORDERS_AUTHORIZENET_LOGIN_ID and ORDERS_AUTHORIZENET_TRANSACTION_KEY"
        return fail("the gateway refuses our login or transaction key", f"correct {keys}, then restart")
    return ok("the gateway answers and takes our keys")


async def mail(patient: Patient) -> Finding:
    """Mandrill answers, takes our key, and finds messages by our ids."""
    url = patient.settings.mandrill_url
    try:
        accepted = await patient.mailer.check_key()
        indexed = accepted and await patient.mailer.finds_by_email_id()
    except LookupFailed as failure:
        start = "orders sandbox" if url == SANDBOX_MANDRILL_URL else "check ORDERS_MANDRILL_URL and the network"
        return fail(f"the mail provider gives no usable answer ({failure.reason})", start)
    if not accepted:
        return fail("the mail provider refuses our key", "correct ORDERS_MANDRILL_API_KEY, then restart")
    if not indexed:
        fix = "add email_id and order_id to the indexed metadata fields of the Mandrill account"
        return warn("the mail provider does not index email_id, so a resend may not find what was sent", fix)
    return ok("the mail provider answers and takes our key")


async def gateway_clock(patient: Patient) -> Finding:
    """Our clock against the gateway's."""
    try:
        ahead_s = await clock_ahead_s(patient.settings.authorizenet_url)
    except NoDate as problem:
        return warn(f"the gateway does not tell its time ({problem})", "compare the clock by hand: timedatectl")
    return _judged(ahead_s, "the gateway's clock")


async def database_clock(patient: Patient) -> Finding:
    """Our clock against the database's, which leases run on."""
    if not is_postgresql(patient.settings.database_url):
        return ok("the database runs on this machine's clock")

    def compare() -> float:
        with patient.engine(patient.settings.database_url).connect() as connection:
            clock_s(connection)  # connects, and is not measured
            began_s = time()
            theirs_s = clock_s(connection)
            return theirs_s - (began_s + time()) / 2

    return _judged(await patient.blocking(compare), "the database's clock")


def _judged(ahead_s: float, whose: str) -> Finding:
    seen = f"{whose} is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
    fix = "keep both clocks by NTP: timedatectl set-ntp true"
    if abs(ahead_s) > FAIL_S:
        return fail(seen, fix)
    return warn(seen, fix) if abs(ahead_s) > WARN_S else ok(f"{whose} agrees with ours to {WARN_S:.0f} s")

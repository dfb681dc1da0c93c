"""Checks of what is stored: the keys open, the directory lets orders in, and the erased are gone."""

from __future__ import annotations

from api.doctor.finding import Finding, fail, ok, warn
from api.doctor.patient import Patient
from api.stand_ins import money_is_real
from application.adapters.directory.erasing import SqlErasableDirectory
from application.adapters.directory.reads import SqlDirectory
from application.adapters.key_store import KeyStoreUnavailable
from application.adapters.recorders import open_recorder
from application.adapters.sql import make_engine
from application.audit.erasures import read_erasures
from application.derived_ids import DerivedIds
from application.event_log import EventLog
from application.stored_events import CODEC

IMPORT = "orders directory import FILE"
PAY_AND_SUBMIT = ("POST", "/api/v1/orders/pay_and_submit")


async def keys(patient: Patient) -> Finding:
    """The keys of personal data open with our secret key."""
    try:
        opened = await patient.keys.opens_any()
    except KeyStoreUnavailable as problem:
        if "another secret key" in str(problem):
            fix = "set ORDERS_SECRET_KEY to the one that it was when the keys were made"
            return fail("the keys were wrapped with another ORDERS_SECRET_KEY", fix)
        return fail("the key store cannot be read", "check ORDERS_KEY_STORE_URL; orders migrate")
    return ok("the keys open" if opened else "there are no keys yet")


async def directory(patient: Patient) -> Finding:
    """Somebody can place an order."""
    secret = patient.settings.secret_key.get_secret_value().encode()
    reads = SqlDirectory(make_engine(patient.settings.database_url), DerivedIds(secret))
    try:
        route, catalog = await reads.route(*PAY_AND_SUBMIT), await reads.catalog()
        example = await reads.has_example_tokens()
    finally:
        await reads.close()
    if not catalog.services:
        return fail("there is nothing to order: the directory holds no services", IMPORT)
    if route is None or not (route.service_deployed and route.route_deployed):
        return fail("pay_and_submit is not deployed in the directory", IMPORT)
    if example and (patient.settings.in_production or money_is_real(patient.settings)):
        return fail("the directory takes example tokens, which everybody knows", IMPORT)
    return ok(f"{len(catalog.services)} services can be ordered")


async def erasures(patient: Patient) -> Finding:
    """Every erasure was finished, and no backup has brought anybody back."""
    recorder = open_recorder(patient.settings.database_url)
    erasable = SqlErasableDirectory(make_engine(patient.settings.database_url))
    try:
        found = await read_erasures(EventLog(recorder, CODEC))
        back = set(await erasable.held(found.finished)) | set(await patient.keys.living(found.finished))
    finally:
        await recorder.close()
        await erasable.close()
    fix = "orders erase {} --reason TEXT"
    if back:
        return fail(f"{len(back)} erased clients are there again, as from a backup", fix.format(min(back)))
    if found.unfinished:
        return warn(f"{len(found.unfinished)} erasures are not finished", fix.format(min(found.unfinished)))
    return ok(f"{len(found.finished)} clients are erased, and none has come back")

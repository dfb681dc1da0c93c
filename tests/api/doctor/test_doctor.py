"""`orders doctor`: where all is fine it says so, and each fault is named with its fix. Every fault is a real one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from aiohttp import web

import api.doctor.report
from api.doctor import finding, storage, vendors, work
from api.doctor.checks import Look
from api.doctor.patient import Patient
from api.doctor.report import examine, exit_code
from api.read_models import LEASE, REVENUE
from api.sandbox.mandrill.app import create_app as create_mail
from api.sandbox.mandrill.config import MailConfig
from api.sandbox.running import RunningSandbox
from api.seals import SealedLog
from api.settings import Settings
from application.adapters.system import SystemClock
from application.audit.seals.sealed_tree import SealedTree
from tests.api.commands.running import orders
from tests.api.doctor.examining import ALL, NOWHERE, changed, examined, generation_url, look, on_sqlite_only, require
from tests.api.webhooks.world import World
from tests.end_to_end.running import entered
from tests.end_to_end.world import eventually
from tests.helpers import run


def test_where_all_is_fine_it_says_so_in_words_and_in_json(world: World) -> None:
    world.order()
    code, checks = examined(world)
    wrong = {name: check for name, check in checks.items() if check["verdict"] not in ("ok",)}
    # A test server's durability is turned off on purpose.
    assert (set(wrong) <= {"durability"}, set(checks)) == (True, ALL), wrong
    assert code == (1 if wrong else 0)
    told = orders(world, "doctor")
    assert (told.exit_code, told.stdout.count("\nok "), "FAIL" in told.stdout) == (code, 18 - len(wrong), False)


@on_sqlite_only
def test_misspelt_settings_are_named_with_the_nearest_one(world: World) -> None:
    require(
        world, "settings", "warn", "ORDERS_PAYMENT_EXPIRE_S", "ORDERS_PAYMENT_EXPIRY_S", ORDERS_PAYMENT_EXPIRE_S="9"
    )


@on_sqlite_only
def test_settings_that_cannot_be_read_are_all_it_looks_at(world: World) -> None:
    code, checks = examined(world, ORDERS_GATEWAY_DEADLINE_S="never", ORDERS_LOG_LEVEL="loud")
    assert (code, set(checks), checks["settings"]["verdict"]) == (2, {"settings"}, "fail")
    assert "ORDERS_LOG_LEVEL" in checks["settings"]["seen"]


@on_sqlite_only
def test_production_on_example_keys_is_a_failure(world: World) -> None:
    require(world, "settings", "fail", "ORDERS_SECRET_KEY is an example", "ORDERS_", ORDERS_ENVIRONMENT="production")


@on_sqlite_only
def test_development_with_a_gateway_that_moves_real_money_is_a_warning(world: World) -> None:
    real = {"ORDERS_AUTHORIZENET_URL": NOWHERE, "ORDERS_AUTHORIZENET_TRANSACTION_KEY": "346HZ32z3fP4hTG2"}
    require(world, "settings", "warn", "real money", "ORDERS_ENVIRONMENT=production", **real)
    require(world, "directory", "fail", "example tokens", "orders directory import", **real)


@on_sqlite_only
@pytest.mark.parametrize("url", ["postgresql://olga:password@127.0.0.1:9/orders", "sqlite:///{folder}/none.db"])
def test_a_database_that_is_not_there_is_named_and_what_needs_it_is_skipped(
    world: World, url: str, tmp_path: Path
) -> None:
    code, checks = examined(world, ORDERS_DATABASE_URL=url.format(folder=tmp_path))
    assert (code, checks["database"]["verdict"], checks["schema"]["verdict"]) == (2, "fail", "skipped")
    assert checks["gateway"]["verdict"] == "ok"
    assert list(tmp_path.iterdir()) == []  # it makes nothing


def test_a_read_only_database_is_a_failure(quiet: World) -> None:
    url = quiet.settings.database_url
    if url.startswith("sqlite"):
        pytest.skip("root may write every file")
    name = urlsplit(url).path[1:]
    alter = f'ALTER DATABASE "{name}" {{}} default_transaction_read_only'
    undo = f"BEGIN; SET TRANSACTION READ WRITE; {alter.format('RESET')}; COMMIT"
    with changed(url, alter.format("SET") + " = on", undo):
        require(quiet, "database", "fail", "read only", "ORDERS_DATABASE_URL")


def test_a_missing_table_and_a_missing_column_are_named(quiet: World) -> None:
    url = quiet.settings.database_url
    with changed(url, "ALTER TABLE rate_limits RENAME TO away", "ALTER TABLE away RENAME TO rate_limits"):
        require(quiet, "schema", "fail", "rate_limits", "orders migrate")
    column = "ALTER TABLE directory_erased RENAME COLUMN {} TO {}"
    with changed(url, column.format("erased_at", "away"), column.format("away", "erased_at")):
        require(quiet, "schema", "fail", "directory_erased.erased_at", "orders migrate")


def test_an_event_of_another_version_is_named(quiet: World) -> None:
    columns = "originator_id, originator_version, topic, state"
    stream = uuid4()
    add = f"INSERT INTO stored_events ({columns}) VALUES ('{stream}', 1, 'order.teleported.v9', '')"
    with changed(quiet.settings.database_url, add, f"DELETE FROM stored_events WHERE originator_id = '{stream}'"):
        require(quiet, "topics", "fail", "order.teleported.v9", "version")


@on_sqlite_only
def test_another_secret_key_does_not_open_the_keys(world: World) -> None:
    world.order()
    other = "another secret key, of nobody"
    require(world, "keys", "fail", "another ORDERS_SECRET_KEY", "ORDERS_SECRET_KEY", ORDERS_SECRET_KEY=other)


@on_sqlite_only
def test_a_directory_in_which_nothing_can_be_ordered_is_a_failure(quiet: World) -> None:
    flag = "UPDATE directory_{} SET {} = {}"
    url = quiet.settings.database_url
    with changed(url, flag.format("routes", "deployed", "false"), flag.format("routes", "deployed", "true")):
        require(quiet, "directory", "fail", "not deployed", "orders directory import")
    with changed(url, flag.format("services", "active", "false"), flag.format("services", "active", "true")):
        require(quiet, "directory", "fail", "nothing to order", "orders directory import")


@on_sqlite_only
def test_a_gateway_and_a_mail_provider_out_of_reach_are_failures(world: World) -> None:
    require(world, "gateway", "fail", "connection-refused", "ORDERS_AUTHORIZENET_URL", ORDERS_AUTHORIZENET_URL=NOWHERE)
    require(world, "mail", "fail", "connection-refused", "ORDERS_MANDRILL_URL", ORDERS_MANDRILL_URL=NOWHERE)


@on_sqlite_only
def test_refused_keys_are_named_and_nothing_is_charged(world: World) -> None:
    ledger = f"{world.vendors.gateway.url}/_ledger"
    before = look(ledger)["transactions"]
    key = "ORDERS_AUTHORIZENET_TRANSACTION_KEY"
    require(world, "gateway", "fail", "refuses", key, ORDERS_AUTHORIZENET_TRANSACTION_KEY="wrong-key-000001")
    require(world, "mail", "fail", "refuses", "ORDERS_MANDRILL_API_KEY", ORDERS_MANDRILL_API_KEY="wrong")
    assert look(ledger)["transactions"] == before


@on_sqlite_only
def test_a_mail_account_that_does_not_index_our_ids_is_a_warning(world: World) -> None:
    config = MailConfig(api_key=world.settings.mandrill_api_key.get_secret_value(), indexed_metadata=frozenset())
    with entered(RunningSandbox(create_mail(config))) as mail:
        require(world, "mail", "warn", "email_id", "indexed", ORDERS_MANDRILL_URL=f"{mail.url}/api/1.3")


@on_sqlite_only
@pytest.mark.parametrize(("ahead_s", "verdict"), [(10.0, "warn"), (-90.0, "fail")])
def test_a_clock_that_is_off_is_named(world: World, ahead_s: float, verdict: str) -> None:
    async def tell_time(_: web.Request) -> web.Response:
        then = datetime.now(UTC) + timedelta(seconds=ahead_s)
        return web.Response(headers={"Date": then.strftime("%a, %d %b %Y %H:%M:%S GMT")})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", tell_time)
    with entered(RunningSandbox(app)) as other:
        settings = world.settings.model_copy(update={"authorizenet_url": other.url})
        found = run(look_at(settings, vendors.gateway_clock))
    assert (found.verdict, "timedatectl" in str(found.fix)) == (verdict, True), found


async def look_at(settings: Settings, check: Look) -> finding.Finding:
    patient = Patient(settings)
    try:
        return await check(patient)
    finally:
        await patient.close()


@on_sqlite_only
def test_work_that_nobody_does_is_a_failure(quiet: World) -> None:
    require(quiet, "workers", "warn", "no process has ever", "orders serve")
    lease = "INSERT INTO projection_leases (name, owner, until_s, seen_s) VALUES ('{}', 'gone', 1, 1)"
    with changed(quiet.settings.views_url, lease.format(LEASE), "DELETE FROM projection_leases WHERE owner = 'gone'"):
        require(quiet, "workers", "fail", "nobody", "orders work")


def test_work_that_is_overdue_is_a_failure(quiet: World) -> None:
    order = uuid4()
    name = order.hex if quiet.settings.views_url.startswith("sqlite") else str(order)
    add = (
        f"INSERT INTO open_work (order_id, kind, due_s, since_s, tries, ticket) VALUES ('{name}', 'later', 1, 1, 0, 0)"
    )
    with changed(quiet.settings.views_url, add, f"DELETE FROM open_work WHERE order_id = '{name}'"):
        require(quiet, "stuck-work", "fail", "1 of 1 later", "orders serve")


@on_sqlite_only
def test_a_read_model_of_other_code_is_a_warning(quiet: World) -> None:
    digest = "UPDATE projection_generations SET code_digest = {} WHERE projection = 'revenue' AND NOT dropped"
    url = quiet.settings.views_url
    with changed(url, digest.format("'x' || substr(code_digest, 2)"), digest.format(f"'{REVENUE.code_digest}'")):
        require(quiet, "projections", "warn", "revenue", "orders projections rebuild revenue")


@on_sqlite_only
def test_dead_letters_are_a_failure(quiet: World) -> None:
    where = "projection = 'conversion'"
    add = (
        "INSERT INTO projection_dead_letters (projection, generation, position, stream_id, topic, error, set_aside_at)"
        f" SELECT 'conversion', generation, 1, '{uuid4()}', 'x', 'broken', '2026-01-01 00:00:00' FROM"
        f" projection_positions WHERE {where}"
    )
    with changed(generation_url(quiet, "conversion"), add, f"DELETE FROM projection_dead_letters WHERE {where}"):
        require(quiet, "projections", "fail", "conversion", "orders dead-letters list")


@on_sqlite_only
def test_new_notifications_are_a_warning(world: World) -> None:
    world.order(payment_method_id=108)  # the gateway refuses our keys
    eventually(lambda: "gateway-keys-refused" in world.get("/api/v1/notifications", "session-ed-example-token").text)

    require(world, "notifications", "warn", "gateway-keys-refused", "orders notifications list")


def test_sealing_that_has_stopped_is_a_failure(quiet: World) -> None:
    table = "sealers" if quiet.settings.seals_url.startswith("sqlite") else "seals.sealers"
    problem = f"UPDATE {table} SET problem = "
    with changed(quiet.settings.seals_url, f"{problem} 'x'", f"{problem} NULL"):
        require(quiet, "seals", "fail", "sealing has stopped", "orders audit verify")


def test_a_machine_without_the_checkpoints_is_warned(
    quiet: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = str(quiet.settings.seals_folder)
    log = SealedLog(quiet.settings)
    tree = SealedTree.load(log.store, log.file(), log.signer())
    while rows := tree.rows_after(log.rows):
        assert tree.add(rows, SystemClock())
    tree.publish()
    log.close()
    assert examined(quiet, ORDERS_SEALS_PATH=shared)[1]["seals"]["verdict"] == "ok"
    monkeypatch.setattr(work, "SEAL_LAG_S", 0.0)
    require(quiet, "seals", "warn", "no checkpoints", "ORDERS_SEALS_PATH", ORDERS_SEALS_PATH=str(tmp_path))


def test_an_erased_client_that_a_backup_brought_back_is_a_failure(world: World) -> None:
    assert orders(world, "erase", "13", "--reason", "asked", "--yes").exit_code == 0
    assert examined(world)[1]["erasures"]["verdict"] == "ok"
    back = "UPDATE directory_clients SET name = {} WHERE id = 13"
    with changed(world.settings.database_url, back.format("'Back'"), back.format("''")):
        require(world, "erasures", "fail", "there again", "orders erase 13")


@on_sqlite_only
def test_little_disk_is_a_warning_and_none_a_failure(world: World) -> None:
    for free, verdict in ((storage.LOW_DISK - 1, "warn"), (storage.NO_DISK - 1, "fail")):
        with patch("shutil.disk_usage") as usage:  # a full disk cannot be had here
            usage.return_value.free = free
            require(world, "disk", verdict, "GB are free", "free space")


def test_a_check_that_hangs_ends_within_its_limit_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.doctor.report, "LIMIT_S", 0.05)

    async def fine() -> finding.Finding:
        return finding.ok("fine")

    async def hang() -> finding.Finding:
        await asyncio.sleep(60)
        return finding.ok("late")

    async def break_down() -> finding.Finding:
        raise ValueError("a secret")

    checks = [finding.Check("hangs", hang), finding.Check("breaks", break_down), finding.Check("fine", fine)]
    results = run(
        examine([*checks, finding.Check("after", fine, ("hangs",)), finding.Check("later", fine, ("after",))])
    )
    assert [result.finding.verdict for result in results] == ["fail", "fail", "ok", "skipped", "skipped"]
    assert (exit_code(results), "secret" in str(results)) == (2, False)
    assert (exit_code(results[2:3]), exit_code([])) == (0, 0)

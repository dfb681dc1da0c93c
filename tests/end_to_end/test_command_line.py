"""The command `orders`: what it prints, how it exits, and that what it starts serves and stops as asked."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.end_to_end.client import ORDERS, Api
from tests.end_to_end.database import Database
from tests.end_to_end.world import ADA, DIRECTORY_AGE_S, World, a_directory, eventually, on_postgresql_only

ORDERS_COMMAND = Path(sys.executable).with_name("orders")
STOP_LIMIT_S = 8.0


def orders(*arguments: str, **settings: str) -> Result:
    """Run the command in this process, with these settings."""
    env = {f"ORDERS_{name.upper()}": value for name, value in settings.items()}
    return CliRunner().invoke(app, arguments, env=env)


def errors_of(result: Result) -> list[str]:
    """What a refused command says, a problem a line."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert all(line.startswith("error: ") for line in result.stderr.splitlines())
    return [line.removeprefix("error: ") for line in result.stderr.splitlines()]


def written(folder: Path, directory: Any) -> str:
    file = folder / "directory.json"
    file.write_text(directory if isinstance(directory, str) else json.dumps(directory))
    return str(file)


# --- directory import -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_importing_the_same_file_twice_changes_nothing(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    directory = a_directory()
    for session in directory["sessions"]:  # "now" is another time in another run
        session |= {"created_at": "2026-01-01T00:00:00Z", "last_used_at": "2026-01-01T00:00:00Z"}
    file = written(tmp_path, directory)

    first = orders("directory", "import", file, "--json", database_url=url)
    position = Database(url).position()
    second = orders("directory", "import", file, "--json", database_url=url)

    assert (first.exit_code, second.exit_code) == (0, 0)
    before, after = json.loads(first.stdout), json.loads(second.stdout)
    assert before["sections"]["users"] == {"added": 8, "changed": 0, "unchanged": 0, "deactivated": 0}
    for section, counts in after["sections"].items():
        added = before["sections"][section]["added"]
        assert counts == {"added": 0, "changed": 0, "unchanged": added, "deactivated": 0}, section
    assert after["catalog_version"] == before["catalog_version"]
    assert Database(url).position() == position > 0


def test_a_new_price_holds_for_new_orders_and_leaves_old_ones_alone(world: World, tmp_path: Path) -> None:
    tour = {"primary_service": {"slug": "zillow_3d_and_floor_plans", "quantity": 1}}
    services = copy.deepcopy(world.directory["services"])
    next(entry for entry in services if entry["slug"] == "zillow_3d_and_floor_plans")["prices_cents"] = {"1": 25900}
    old = world.pay(world.body(tour)).order

    file = written(tmp_path, {"services": services})
    imported = orders("directory", "import", file, database_url=world.settings.database_url)

    assert imported.exit_code == 0, imported.output
    assert "catalog version" in imported.stdout
    time.sleep(DIRECTORY_AGE_S)
    new = world.pay(world.body(tour)).order
    assert (old["total_cents"], new["total_cents"]) == (19900, 25900)
    assert world.charges(new)[0]["amount_cents"] == 25900
    assert world.get(f"{ORDERS}/{old['id']}", ADA).order == old


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"sessions": [{"token": "tok-kumquat", "user_id": "kumquat"}]}, "sessions[0].user_id"),
        ({"clients": [{"id": 1, "name": "kumquat", "additional_emails": []}]}, "clients[0].email"),
        ({"services": [{"slug": "kumquat slug"}]}, "services[0].slug"),
        ({"kumquat": []}, "not part of the format"),
        ('{"users": [', "not JSON"),
    ],
)
def test_a_malformed_file_is_refused_by_the_path_of_its_fault(
    world: World, tmp_path: Path, change: Any, path: str
) -> None:
    position = world.database.position()

    result = orders("directory", "import", written(tmp_path, change), database_url=world.settings.database_url)

    (problem,) = errors_of(result)
    assert path in problem
    assert "kumquat" not in problem
    assert world.database.position() == position
    assert world.pay(world.body()).status == "action-successful"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = orders("directory", "import", str(tmp_path / "nothing.json"))

    assert result.exit_code == 2
    assert "nothing.json" in re.sub(r"[│\s]", "", result.stderr)  # typer breaks its lines in a box


# --- serve, refused ---------------------------------------------------------------------------------------------------


def test_sqlite_serves_with_one_process_only(sqlite_url: str) -> None:
    (problem,) = errors_of(orders("serve", "--workers", "2", database_url=sqlite_url))

    assert "SQLite" in problem
    assert "--workers 1" in problem


def test_production_refuses_examples_and_sandboxes_by_name(sqlite_url: str) -> None:
    problems = errors_of(orders("serve", "--port", "0", environment="production", database_url=sqlite_url))

    named = {problem.partition(" ")[0] for problem in problems}
    assert named >= {
        "ORDERS_AUTHORIZENET_URL", "ORDERS_AUTHORIZENET_LOGIN_ID", "ORDERS_AUTHORIZENET_TRANSACTION_KEY",
        "ORDERS_AUTHORIZENET_SIGNATURE_KEY", "ORDERS_MANDRILL_URL", "ORDERS_MANDRILL_API_KEY",
        "ORDERS_MANDRILL_WEBHOOK_KEY", "ORDERS_SECRET_KEY", "ORDERS_EMAIL_FROM",
    }  # fmt: skip
    assert "sandbox-key-0001" not in "".join(problems)
    assert not Path(sqlite_url.removeprefix("sqlite:///")).exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate_limit", "kumquat"), ("database_url", "mysql://kumquat"), ("log_level", "kumquat"), ("secret_key", "kumq")],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(name: str, value: str) -> None:
    (problem,) = errors_of(orders("serve", **{name: value}))

    assert problem.startswith(f"ORDERS_{name.upper()}: ")
    assert value not in problem


def test_a_database_out_of_reach_is_a_clear_error(tmp_path: Path) -> None:
    (problem,) = errors_of(orders("serve", database_url=f"postgresql:///orders?host={tmp_path}"))

    assert problem.startswith("ORDERS_DATABASE_URL: ")


def test_a_port_that_is_taken_is_a_clear_error(sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (problem,) = errors_of(orders("serve", "--port", str(port), database_url=sqlite_url))

    assert problem == f"cannot listen on 127.0.0.1:{port}: Address already in use"


# --- serve and demo, at work ------------------------------------------------------------------------------------------


@contextmanager
def served(world: World) -> Iterator[tuple[subprocess.Popen[str], Api]]:
    """`orders serve` as a process of its own, over the world's store and sandboxes."""
    settings = world.settings
    env = {
        **os.environ,
        "ORDERS_DATABASE_URL": settings.database_url,
        "ORDERS_AUTHORIZENET_URL": settings.authorizenet_url,
        "ORDERS_MANDRILL_URL": settings.mandrill_url,
    }
    command = [str(ORDERS_COMMAND), "serve", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            line = process.stdout.readline()
            assert line.startswith("orders: serving on http://127.0.0.1:"), process.stderr.read()
            yield process, Api(line.split()[-1])
        finally:
            process.kill()


@on_postgresql_only
def test_serve_says_where_and_finishes_what_is_under_way_when_it_is_stopped(world: World) -> None:
    with served(world) as (process, api), ThreadPoolExecutor(1) as other, world.slow_gateway(500):
        assert api.send("GET", "/health/ready").code == 200
        calls = world.charge_calls()
        paying = other.submit(api.pay, world.body())
        eventually(lambda: world.charge_calls() > calls)

        process.send_signal(signal.SIGTERM)
        stopped_at = time.monotonic()

        paying.result().require_envelope("action-successful", 200)
        rest_of_output = process.communicate(timeout=STOP_LIMIT_S)
        assert process.returncode == 0
        assert time.monotonic() - stopped_at < STOP_LIMIT_S
        assert rest_of_output == ("", "")
    order = paying.result().order
    assert world.get(f"{ORDERS}/{order['id']}", ADA).order == order


def test_the_demo_shows_every_ending_as_expected() -> None:
    result = orders("demo", "--once", "--json")

    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert shown["as_expected"] is True
    assert all(ending["as_expected"] for ending in shown["endings"])
    assert len({ending["status"] for ending in shown["endings"]}) == 24

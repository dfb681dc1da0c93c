"""Runs `orders doctor` on a world, and breaks things in its stores for a while."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from tests.api.commands.running import orders
from tests.api.webhooks.world import World

# For checks that do not depend on the kind of database.
on_sqlite_only = pytest.mark.parametrize("world", ["sqlite"], indirect=True, scope="module")
NOWHERE = "http://127.0.0.1:9"  # the discard port (RFC 863), where nothing listens
ALL = {
    "settings", "database", "key-database", "durability", "schema", "topics", "keys", "directory", "gateway", "mail",
    "database-clock", "gateway-clock", "workers", "stuck-work", "projections", "seals", "notifications", "erasures",
    "disk",
}  # fmt: skip


def examined(world: World, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the checks by name."""
    result = orders(world, "doctor", "--json", **settings)
    content = json.loads(result.stdout)
    assert content["exit_code"] == result.exit_code
    require_no_secret(world, result.output)
    return result.exit_code, {check["name"]: check for check in content["checks"]}


def require_no_secret(world: World, text: str) -> None:
    ours = world.settings
    for name in ("authorizenet_transaction_key", "mandrill_api_key", "secret_key", "seal_key"):
        assert getattr(ours, name).get_secret_value() not in text
    assert "password" not in text


def require(world: World, name: str, verdict: str, seen: str, fix: str, **settings: str) -> None:
    """The check says so, and the exit code fits."""
    code, checks = examined(world, **settings)
    check = checks[name]
    assert (check["verdict"], seen in check["seen"], fix in check["fix"]) == (verdict, True, True), check
    assert code == {"fail": 2, "warn": 1}[verdict] or any(c["verdict"] == "fail" for c in checks.values())


def execute(url: str, *statements: str) -> None:
    connection: Any
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    with closing(connection):
        for statement in statements:
            connection.execute(statement)


@contextmanager
def changed(url: str, do: str, undo: str) -> Iterator[None]:
    execute(url, do)
    try:
        yield
    finally:
        execute(url, undo)


def look(url: str) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
        return json.loads(answer.read())


def generation_url(world: World, name: str) -> str:
    url = world.settings.views_url
    return url.replace(".db", f"-{name}-1.db") if url.startswith("sqlite") else url

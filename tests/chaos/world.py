"""A store with a directory, the vendors, and how to start the product over them with everything soon over."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import api.demo
from api.demo.endings import PATH, ordinary_body
from api.directory_import import import_file
from api.settings import Settings
from tests.chaos.history import History, read_history
from tests.chaos.judge import Evidence, Told, Violation, violations
from tests.chaos.launcher import Launch
from tests.chaos.processes import Starter
from tests.chaos.vendors import Vendors, vendors

POLL_S = 0.05
ANSWER_LIMIT_S = 15.0
PROMOTIONS = 20  # of each kind

# Nothing is under way for longer than a second or two, so that whatever is open is closed a moment later.
QUICK_SETTINGS = {
    "GATEWAY_DEADLINE_S": "0.7",
    "PAYMENT_EXPIRY_S": "2",
    "HELD_EXPIRY_S": "2",
    "RECOVERY_INTERVAL_S": "0.2",
    "LOG_LEVEL": "warning",
}
QUICK_POLICY = {"send_guard_s": 0.5, "charge_time_s": 1.3, "email_guard_s": 0.5, "outbox_begins_s": 1.5}


def a_directory(promotions: int = PROMOTIONS) -> dict[str, Any]:
    """The demo's directory, with promotions of ten percent (`TEN-0` ...) and of a hundred (`ALL-0` ...)."""
    directory: dict[str, Any] = json.loads(Path(api.demo.__file__).with_name("directory.json").read_text())
    always = {"designation": None, "active": True, "starts_at": None, "ends_at": None}
    for number in range(promotions):
        directory["promotions"].append({"code": f"TEN-{number}", "percent_off": 10, **always})
        directory["promotions"].append({"code": f"ALL-{number}", "percent_off": 100, **always})
    return directory


def recipients(directory: Mapping[str, Any]) -> dict[int, list[str]]:
    """Who gets the confirmations of each client."""
    return {client["id"]: [client["email"], *client["additional_emails"]] for client in directory["clients"]}


def environ(database_url: str, authorizenet_url: str, mandrill_url: str, **settings: str) -> dict[str, str]:
    """The variables of the product; settings by their names without the prefix."""
    urls = {"DATABASE_URL": database_url, "AUTHORIZENET_URL": authorizenet_url, "MANDRILL_URL": mandrill_url}
    return {f"ORDERS_{name}": value for name, value in {**urls, **settings}.items()}


async def import_directory(database_url: str, directory: Mapping[str, Any], folder: Path) -> None:
    """Make the tables and fill the directory, without any process of the product."""
    file = folder / "directory.json"
    file.write_text(json.dumps(directory))
    await import_file(Settings(database_url=database_url), file)


def told_by(answer: Mapping[str, Any], code: int, key: str | None = None) -> Told:
    order = (answer.get("data") or {}).get("order")
    detail = (answer.get("error") or {}).get("detail")
    return Told(key, code, answer["status"], detail, UUID(order["id"]) if order else None)


@dataclass(frozen=True)
class World:
    """One store, the vendors behind it, and the means to start and to judge the product."""

    database_url: str
    vendors: Vendors
    starter: Starter

    def history(self) -> History:
        return asyncio.run(read_history(self.database_url))

    def violations(self, told: Sequence[Told] = ()) -> list[Violation]:
        evidence = Evidence(
            history=self.history(),
            transactions=self.vendors.transactions(),
            messages=self.vendors.messages(),
            told=told,
            recipients=recipients(a_directory()),
            duplicate_window_s=Settings().duplicate_window_s,
        )
        return violations(evidence)

    def wait_until_resolved(self, limit_s: float = 15.0) -> History:
        """Until nothing is left to be done on any order."""
        history = self.history()

        def resolved() -> bool:
            nonlocal history
            history = self.history()
            return not history.unresolved()

        eventually(resolved, limit_s)
        return history


@contextmanager
def a_world(database_url: str, folder: Path) -> Iterator[World]:
    """Vendors of its own, whose charges no other store's reconciler takes for orphans."""
    directory = a_directory()
    asyncio.run(import_directory(database_url, directory, folder))
    logs = folder / "logs"
    logs.mkdir()
    with vendors(logs / "vendors.txt") as both:
        variables = environ(database_url, both.authorizenet_url, both.mandrill_url, **QUICK_SETTINGS)
        yield World(database_url, both, Starter(Launch((), variables, QUICK_POLICY), logs))


def pay(url: str, home: int, key: str | None = None, **changes: Any) -> Told | None:
    """Order for a home as Ada, with changes to the body; None where no answer came back."""
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    request = urllib.request.Request(url + PATH, json.dumps(ordinary_body(home, changes)).encode(), headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ANSWER_LIMIT_S) as response:
            return told_by(json.loads(response.read()), response.status, key)
    except urllib.error.HTTPError as refused:
        with refused:
            return told_by(json.loads(refused.read()), refused.code, key)
    except (OSError, ValueError):
        return None


def eventually(holds: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Wait until it holds; fail where it does not within the limit."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(POLL_S)

"""A world of its own: the product over HTTP, the vendors' sandboxes behind it, a store and a directory.

Example people: Ada orders for client 11, Mia for client 12, Ed is an employee, Lee a liaison, Fay in finance, and Nora
is nobody yet. Mail for client 13 always fails.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import api.demo
from api.app import create_app
from api.directory_import import import_file
from api.sandbox.servers import Sandboxes, sandboxes
from api.settings import Settings
from tests.end_to_end.client import Api
from tests.end_to_end.database import Database
from tests.end_to_end.running import entered, serving
from tests.helpers import run

ADA, MIA, ED, NORA, LEE, FAY = (f"session-{name}-example-token" for name in ("ada", "mia", "ed", "nora", "lee", "fay"))
ADA_AGAIN = "session-ada-again-example-token"
OLD = "session-old-example-token"
PLANOORDER, PLANOAUTH = "app-planoorder-example-token", "app-planoauth-example-token"
UNREACHABLE_CLIENT = {"id": 13}
DIRECTORY_AGE_S = 0.3  # a server may go by what it read of the directory a moment ago
NOWHERE = "http://127.0.0.1:9/xml/v1/request.api"  # the discard port (RFC 863), where nothing listens
PROMOTIONS = 30  # of each kind

# For what takes seconds and does not depend on the kind of database.
on_sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, scope="module")
on_postgresql_only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="module")


def a_directory() -> dict[str, Any]:
    """The demo's directory, with a second session for Ada and more promotions: every test can use up its own."""
    directory: dict[str, Any] = json.loads(Path(api.demo.__file__).with_name("directory.json").read_text())
    again = {"token": ADA_AGAIN, "user_id": 1, "created_at": "now", "last_used_at": "now", "remember_me": False}
    directory["sessions"].append(again)
    always = {"designation": None, "active": True, "starts_at": None, "ends_at": None}
    for number in range(PROMOTIONS):
        directory["promotions"].append({"code": f"TEN-{number}", "percent_off": 10, **always})
        directory["promotions"].append({"code": f"ALL-{number}", "percent_off": 100, **always})
    return directory


@dataclass
class World(Api):
    """The running product. `url` is that of its own server."""

    settings: Settings = field(kw_only=True)
    vendors: Sandboxes = field(kw_only=True)
    database: Database = field(kw_only=True)
    folder: Path = field(kw_only=True)
    directory: dict[str, Any] = field(kw_only=True)
    homes: Iterator[int] = field(default_factory=lambda: count(1), kw_only=True)
    promotions: Iterator[int] = field(default_factory=lambda: iter(range(PROMOTIONS)), kw_only=True)

    def body(self, order: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """A valid body of Ada's for a home that nobody has ordered for; None removes a parameter."""
        return a_body(next(self.homes), order, **changes)

    def promotion(self, kind: str) -> str:
        """The code of a promotion that nobody has used: `TEN` percent off, or `ALL`."""
        return f"{kind}-{next(self.promotions)}"

    @contextmanager
    def server(self, *, most_under_way: int | None = None, **settings: Any) -> Iterator[Api]:
        """A second server over the same store, with other settings; `most_under_way` orders at once."""
        app = create_app(self.settings.model_copy(update=settings), work=False)
        if most_under_way is not None:
            app.state.service._handler._limit = most_under_way
        with serving(app) as url:
            yield Api(url, self.answers)

    def import_sections(self, **sections: Any) -> None:
        """Import a directory file with these sections only."""
        file = self.folder / "sections.json"
        file.write_text(json.dumps(sections))
        run(import_file(self.settings, file))
        time.sleep(DIRECTORY_AGE_S)

    @contextmanager
    def without(self, table: str) -> Iterator[None]:
        """A table that is gone, and that the server goes by no longer."""
        with self.database.renamed(table):
            if table.startswith("directory_"):
                time.sleep(DIRECTORY_AGE_S)
            yield

    # --- the gateway's side of it -------------------------------------------------------------------------------------

    def charges(self, order: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the gateway's ledger holds of the order."""
        invoice_number = order["payment"]["invoice_number"]
        rows = _fetch(f"{self.vendors.gateway.url}/_ledger")["transactions"]
        return [row for row in rows if row["invoiceNumber"] == invoice_number]

    def charge_calls(self) -> int:
        """How many charges the gateway was asked for."""
        calls = _fetch(f"{self.vendors.gateway.url}/_ledger")["calls"]
        return int(calls.get("authCaptureTransaction", 0))

    def mails(self, order: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the mail provider has taken for the order."""
        rows = _fetch(f"{self.vendors.mail.url}/_ledger")["messages"]
        return [row for row in rows if row["metadata"]["order_id"] == order["id"]]

    @contextmanager
    def slow_gateway(self, delay_ms: int) -> Iterator[None]:
        """Every answer of the gateway takes this long."""
        faults = f"{self.vendors.gateway.url}/_faults"
        _fetch(faults, {"delay_ms": delay_ms})
        try:
            yield
        finally:
            _fetch(faults, {"delay_ms": 0})


@contextmanager
def opened_world(
    database_url: str, folder: Path, directory: dict[str, Any] | None = None, **settings: Any
) -> Iterator[World]:
    """Sandboxes, a migrated store with a directory, and a server, while the block lasts."""
    base = Settings(database_url=database_url, gateway_deadline_s=10, **settings)
    with entered(sandboxes(base)) as vendors:
        urls = {"authorizenet_url": vendors.authorizenet_url, "mandrill_url": vendors.mandrill_url}
        ours = base.model_copy(update=urls)
        file = folder / "directory.json"
        file.write_text(json.dumps(directory or a_directory()))
        run(import_file(ours, file))
        with serving(create_app(ours)) as url:
            yield World(
                url,
                settings=ours,
                vendors=vendors,
                database=Database(database_url),
                folder=folder,
                directory=directory or a_directory(),
            )


def a_body(home: int, order: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A body that is valid for Ada, with changes to its order and to itself; None removes a parameter."""
    ordered = {
        "primary_service": {"slug": "photos", "quantity": 15},
        "property_info": {"address": an_address(home)},
        "property_access": an_access(),
        **(order or {}),
    }
    body = {"token": ADA, "order": _without_none(ordered), **changes}
    return _without_none(body)


def an_address(home: int = 1, **changes: Any) -> dict[str, Any]:
    address = {"street": f"{home} Main Street", "city": "Denver", "province": "us_co", "postal_code": "01234"}
    return _without_none({**address, **changes})


def an_access(**changes: Any) -> dict[str, Any]:
    access = {
        "vacant": True,
        "method_of_access": "lockbox_code",
        "access_code": "4711",
        "lockbox_location": "Front door",
        "onsite_contact_phone": "303-555-0100",
    }
    return _without_none({**access, **changes})


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def eventually(holds: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Wait until it holds; fail where it does not within the limit."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.01)


def _fetch(url: str, wish: Mapping[str, Any] | None = None) -> Any:
    """Look into a sandbox, or tell it something."""
    body = None if wish is None else json.dumps(wish).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, body, timeout=10) as response:
        return json.loads(response.read())

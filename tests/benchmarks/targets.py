"""What is compared: each target is a server in processes of its own, over a database of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from api.directory_import import import_file
from api.settings import Settings
from tests.benchmarks.example import USERS, write_directory
from tests.benchmarks.floor_stores import create_postgresql, create_sqlite
from tests.benchmarks.places import POSTGRESQL, SQLITE, Place
from tests.benchmarks.running import Server, python, server
from tests.benchmarks.vendors import CHARGE_PATH, MAIL_BASE

Start = Callable[[Place, str, int], AbstractContextManager[Server]]  # place, URL of the vendors, processes

OBVIOUS_ON_POSTGRESQL: Final = find_spec("psycopg_pool") is not None  # eventsourcing's recorder imports it
ORDERS_COMMAND: Final = (sys.executable, "-c", "from api.cli import main; main()")


@dataclass(frozen=True)
class Target:
    """warm_up: orders to send before the first measurement; the product then knows all its users."""

    name: str
    start: Start
    warm_up: int = 50


def targets_for(kind: str, processes: int) -> list[Target]:
    """Everything that can be measured on this kind of database with so many server processes."""
    if kind == SQLITE:
        floors = [Target("floor", _floor("sqlite")), Target("floor, grouped commits", _floor("sqlite-grouped"))]
        return [*floors, OBVIOUS, PRODUCT] if processes == 1 else []
    floors = [
        Target("floor, gap-free order", _floor("postgresql-gap-free")),
        Target("floor, no lock", _floor("postgresql")),
    ]
    return [*floors, OBVIOUS, PRODUCT] if OBVIOUS_ON_POSTGRESQL else [*floors, PRODUCT]


@contextmanager
def product(
    place: Place,
    vendors_url: str,
    processes: int = 1,
    *,
    database_url: str = "",
    command: Sequence[str] = (*ORDERS_COMMAND, "serve"),
) -> Iterator[Server]:
    """`orders serve`, with default settings apart from URLs. `database_url`: one that is prepared already."""
    url = database_url or prepared(place)
    arguments = [*command, "--port", "0", "--workers", str(processes)]
    environment = {**environment_of(url, vendors_url), "ORDERS_SEALS_PATH": str(place.folder / "seals")}
    with server(arguments, environment, place.folder / "product.log") as running:
        yield running


def prepared(place: Place) -> str:
    """A database of the product with its tables and the directory."""
    url = place.new()
    asyncio.run(import_file(Settings(database_url=url), write_directory(place.folder)))
    return url


def environment_of(database_url: str, vendors_url: str) -> Mapping[str, str]:
    return {
        "ORDERS_DATABASE_URL": database_url,
        "ORDERS_AUTHORIZENET_URL": vendors_url + CHARGE_PATH,
        "ORDERS_MANDRILL_URL": vendors_url + MAIL_BASE,
    }


def _floor(store: str) -> Start:
    @contextmanager
    def start(place: Place, vendors_url: str, processes: int) -> Iterator[Server]:
        database = place.native(place.new())
        if place.kind == POSTGRESQL:
            asyncio.run(create_postgresql(database))
        else:
            create_sqlite(database)
        environment = {"FLOOR_STORE": store, "FLOOR_DATABASE": database, "VENDORS_URL": vendors_url}
        with server(_serve("floor", processes), environment, place.folder / "floor.log") as running:
            yield running

    return start


@contextmanager
def _obvious(place: Place, vendors_url: str, processes: int) -> Iterator[Server]:
    environment = {"OBVIOUS_DATABASE": place.native(place.new()), "VENDORS_URL": vendors_url}
    with server(_serve("obvious", processes), environment, place.folder / "obvious.log") as running:
        yield running


def _serve(module: str, processes: int) -> list[str]:
    return python("tests.benchmarks.serve", f"tests.benchmarks.{module}:create", str(processes))


OBVIOUS: Final = Target("obvious build", _obvious)
PRODUCT: Final = Target("product", product, warm_up=USERS)

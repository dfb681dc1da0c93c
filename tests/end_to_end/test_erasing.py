"""`orders erase` and `orders audit find` beside a running product: what is found of a person before, and what after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.application.audit.erasure_world import postgresql_files
from tests.end_to_end.client import ORDERS
from tests.end_to_end.test_secrets import KNOWN, ORDERED, a_telling_body
from tests.end_to_end.world import ADA, ED, MIA, World, a_directory, an_address, opened_world

AN_ADDRESS = an_address(street=ORDERED["street"], city=ORDERED["city"])
ADDRESS = f"{ORDERED['street']}, {ORDERED['city']} 01234"
PERSONAL = {**ORDERED, **KNOWN}


@pytest.fixture(scope="module")
def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Ada, with a name that is found nowhere else, has ordered."""
    directory = a_directory()
    directory["clients"][0] |= {"name": KNOWN["client's name"], "email": KNOWN["client's e-mail"]}
    directory["users"][0]["first_name"] = KNOWN["user's name"]
    with opened_world(database_url, tmp_path_factory.mktemp("erasing"), directory) as world:
        yield world


def orders(world: World, *arguments: str) -> Result:
    ours = world.settings
    env = {
        "ORDERS_DATABASE_URL": ours.database_url,
        "ORDERS_AUTHORIZENET_URL": ours.authorizenet_url,
        "ORDERS_MANDRILL_URL": ours.mandrill_url,
    }
    return CliRunner().invoke(app, arguments, env=env, catch_exceptions=False)


def found(world: World, *arguments: str) -> tuple[int, list[str]]:
    result = orders(world, "audit", "find", *arguments, "--json")
    return result.exit_code, [row["id"] for row in json.loads(result.stdout)["orders"]]


def searched(world: World, text: str, token: str = ED) -> list[str]:
    answer = world.get(f"{ORDERS}", token, {"q": text})
    assert answer.code == 200, answer.text
    return [order["id"] for order in answer.data["orders"]]


def files(world: World) -> bytes:
    """What lies on the disk of the databases."""
    if world.database.kind == "sqlite":
        return world.database.raw()
    return b"".join(file.read_bytes() for file in postgresql_files(world.database.url) if file.is_file())


def seen(text: bytes | str) -> set[str]:
    """The kinds of personal data that the text holds."""
    where = text if isinstance(text, bytes) else text.encode()
    return {kind for kind, value in PERSONAL.items() if value.encode() in where}


def test_a_person_is_found_until_erased_and_then_nothing_of_her_is(world: World) -> None:
    placed = world.pay(a_telling_body(world, {"property_info": {"address": AN_ADDRESS}}, token=ADA))
    order, position = placed.order, placed.data["position"]
    assert world.get(f"{ORDERS}?min_position={position}", ED).code == 200
    email = KNOWN["client's e-mail"]
    assert found(world, "--email", email.upper()) == (0, [order["id"]])
    assert found(world, "--address", ADDRESS) == found(world, "--address", ORDERED["street"]) == (0, [order["id"]])
    assert searched(world, email) == searched(world, ADDRESS.lower()) == [order["id"]]
    assert searched(world, email, MIA) == []  # a client finds by names of orders only
    assert seen(files(world)) >= set(KNOWN)
    events = world.database.position()

    result = orders(world, "erase", "11", "--reason", "asked by letter", "--actor", "olga", "--yes", "--json")

    assert (result.exit_code, json.loads(result.stdout)["finished"]) == (0, True), result.output
    assert seen(files(world)) == seen(result.output) == set()
    assert world.database.position() == events + 2
    assert found(world, "--email", email) == found(world, "--address", ADDRESS) == (1, [])
    assert searched(world, email) == searched(world, ADDRESS) == []
    require_no_trace_in_answers(world, order)
    require_that_nothing_comes_back(world)


def require_no_trace_in_answers(world: World, order: dict[str, Any]) -> None:
    """A server whose key cache has run out, as each does within a minute, shows the order without the person."""
    with world.server() as api:
        path = f"{ORDERS}/{order['id']}"
        answers = [api.get(path, ED, {"view": view}) for view in ("default", "order_read", "order_receipt")]
        answers += [
            api.get(f"{path}/events", ED),
            api.get(ORDERS, ED),
            api.get(path, ED, {"at": order["submitted_at"]}),
        ]
        assert [answer.code for answer in answers] == [200] * len(answers)
        assert answers[0].order["client"] == {"id": 11, "name": None}
        assert answers[0].order["total_cents"] == order["total_cents"]
        assert [seen(answer.text) for answer in answers] == [set()] * len(answers)


def require_that_nothing_comes_back(world: World) -> None:
    world.import_sections(**{name: world.directory[name] for name in ("clients", "users", "sessions")})
    assert world.pay(world.body(token=ADA)).status == "invalid-token"
    refused = world.pay(world.body({"client": {"id": 11}}, token=ED))
    assert refused.fault == ("invalid-param", "order.client.id")
    assert seen(files(world)) == set()


def test_who_is_not_known_or_not_confirmed_is_not_erased(world: World) -> None:
    events = world.database.position()
    unknown = orders(world, "erase", "4711", "--reason", "x", "--yes")
    assert (unknown.exit_code, "no such client" in unknown.output) == (2, True)
    unasked = orders(world, "erase", "12", "--reason", "x")
    assert (unasked.exit_code, "--yes" in unasked.output) == (2, True)
    assert orders(world, "erase", "12", "--yes").exit_code == 2
    assert world.database.position() == events


@pytest.mark.parametrize("arguments", [(), ("--email", "a@b.example", "--address", "x"), ("--email", " ")])
def test_a_search_names_one_thing(world: World, arguments: tuple[str, ...]) -> None:
    assert orders(world, "audit", "find", *arguments).exit_code == 2


def test_the_index_can_be_made_again(world: World) -> None:
    home = {"property_id": "MLS 123", "address": an_address(9)}
    placed = world.pay(world.body({"client": {"id": 12}, "property_info": home}, token=ED))
    assert placed.status == "action-successful", placed.text
    assert found(world, "--address", "mls-123", "--rebuild") == (0, [placed.order["id"]])
    assert found(world, "--email", "desk@mia.example.com") == (0, [placed.order["id"]])

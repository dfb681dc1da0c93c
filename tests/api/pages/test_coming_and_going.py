"""Sign-in and sign-out where the browser holds the cookie back, the roles are gone, or a proxy stands in between."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.pages.guarding import SecurityHeaders
from api.pages.visits import Visit, Visits
from tests.api.pages.browsing import Visitor
from tests.domain.examples import NOW
from tests.end_to_end.world import World
from tests.helpers import run

SignedIn = Callable[[str], Visitor]


def test_a_link_from_elsewhere_to_the_sign_in_page_signs_nobody_out(signed_in: SignedIn, visitor: Visitor) -> None:
    there = "/console/sign-in?next=/console/orders"

    held_back = visitor.get(there, Sec_Fetch_Site="cross-site")  # without the cookie that the browser has
    again = signed_in("ed").get(there, Sec_Fetch_Site="same-origin")

    assert held_back.headers["Set-Cookie"] is None
    assert 'content="0; url=/console/sign-in?next=/console/orders"' in held_back.text
    assert (again.code, again.headers["Location"]) == (303, "/console/orders")
    assert "Session token" in visitor.get(there, Sec_Fetch_Site="same-origin").text


def test_whoever_has_lost_all_roles_can_sign_out(world: World, signed_in: SignedIn) -> None:
    visitor = signed_in("otto")
    users = [{**user, "roles": []} if user["first_name"] == "Otto" else user for user in world.directory["users"]]
    world.import_sections(users=users)
    try:
        refused = visitor.get("/console/")
        answer = visitor.post("/console/sign-out", {})
    finally:
        world.import_sections(users=world.directory["users"])

    assert refused.code == 403
    assert (answer.code, answer.headers["Location"]) == (303, "/console/sign-in")
    assert visitor.get("/console/").code == 303


@pytest.mark.parametrize("path", ["/console/orders", "/console/operations/projections"])
def test_a_part_of_a_page_whose_session_has_ended_reloads_the_page(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path, HX_Request="true")

    assert (answer.code, answer.headers["HX-Refresh"], answer.text) == (204, "true", "")


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/console/operations/projections", "standing"),
        ("/console/operations/projections/revenue", "standing"),
        ("/console/finance/log", "verifying"),
    ],
)
def test_a_part_that_is_read_again_and_again_says_when_it_was_read(signed_in: SignedIn, path: str, part: str) -> None:
    text = signed_in("ed").get(path).text.partition(f'<div id="{part}"')[2].partition("</main>")[0]

    assert re.search(r"Read at <time[^>]*>\d\d:\d\d:\d\d\.\d{3} UTC</time>", text)


@pytest.mark.parametrize(("production", "secure"), [(True, True), (False, False)])
def test_in_production_the_cookie_is_secure_whatever_the_request_looks_like(production: bool, secure: bool) -> None:
    visits = Visits(b"secret", always_secure=production)
    behind_a_proxy = Request(
        {"type": "http", "scheme": "http", "server": ("127.0.0.1", 8000), "path": "/", "headers": []}
    )
    written, forgotten = Response(), Response()

    visits.write(behind_a_proxy, written, Visit.new(), NOW)
    visits.forget(behind_a_proxy, forgotten)

    for answer in (written, forgotten):
        assert ("; Secure" in answer.headers["Set-Cookie"]) is secure


@pytest.mark.parametrize(("production", "sent"), [(True, "max-age=31536000"), (False, None)])
def test_in_production_browsers_are_told_to_come_by_https_alone(production: bool, sent: str | None) -> None:
    async def header() -> str | None:
        answers: list[dict[bytes, bytes]] = []

        async def send(message: object) -> None:
            assert isinstance(message, dict)
            if message["type"] == "http.response.start":
                answers.append(dict(message["headers"]))

        async def receive() -> dict[str, object]:
            return {"type": "http.request"}

        await SecurityHeaders(Response("x"), https_only=production)({"type": "http", "method": "GET"}, receive, send)
        found = answers[0].get(b"strict-transport-security")
        return found.decode() if found else None

    assert run(header()) == sent

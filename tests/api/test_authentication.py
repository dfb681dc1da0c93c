"""Tokens: where they may stand, when they hold, and in which role their owner acts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from api.schemas import SessionView
from application.ports import Role
from tests.api.world import ADA, ED, IDS, NORA, NOW, PLANOORDER, PLANOX2, Api, a_body, an_order, user

CLIENT_12 = an_order(client={"id": 12})


def test_a_token_may_come_in_the_header_or_in_both_places_alike(api: Api) -> None:
    assert api.pay(a_body(None), Authorization=f"Bearer {ADA}").status == "action-successful"
    assert api.pay(a_body(None), Authorization=f"bEARER  {ADA} ").status == "action-successful"
    assert api.pay(a_body(), Authorization=f"Bearer {ADA}").status == "action-successful"
    assert api.pay(a_body(), Authorization="Basic eDp5").status == "action-successful"


@pytest.mark.parametrize("other", [ED, "unknown", ""])
def test_two_tokens_that_differ_are_an_invalid_token_parameter(api: Api, other: str) -> None:
    assert api.pay(a_body(), Authorization=f"Bearer {other}").fault == ("invalid-param", "token")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp5"}])
def test_without_a_token_it_is_missing(api: Api, headers: dict[str, str]) -> None:
    assert api.pay(a_body(None), **headers).fault == ("missing-param", "token")


@pytest.mark.parametrize("token", ["unknown", "", " ", 7, True, ["x"], {"x": 1}, "t" * 257, ADA + " ", "ü"])
def test_a_token_that_nobody_has_is_invalid_whatever_its_form(api: Api, token: object) -> None:
    answered = api.post({**a_body(), "token": token})
    assert (answered.code, answered.status) == (401, "invalid-token")
    assert answered.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("created_ago", "used_ago", "remembered", "status"),
    [
        (timedelta(days=7), timedelta(hours=72), False, "action-successful"),
        (timedelta(days=7, seconds=1), timedelta(0), False, "session-expired"),
        (timedelta(days=4), timedelta(hours=72, seconds=1), False, "session-expired"),
        (timedelta(days=900), timedelta(days=800), True, "action-successful"),
    ],
)
def test_a_session_holds_for_seven_days_and_72_idle_hours_unless_it_is_remembered(
    api: Api, created_ago: timedelta, used_ago: timedelta, remembered: bool, status: str
) -> None:
    who = user(1, Role("client", 11))
    times = {"created_at": NOW - created_ago, "last_used_at": NOW - used_ago, "remember_me": remembered}
    api.world.sign_in("tok", who, **times)
    assert api.pay(a_body("tok")).status == status


@pytest.mark.parametrize(
    ("used_ago_s", "touched", "shown"), [(0, 0, "12:00:00"), (59, 0, "11:59:01"), (60, 1, "12:00:00")]
)
def test_a_use_is_noted_at_most_once_a_minute(api: Api, used_ago_s: int, touched: int, shown: str) -> None:
    api.world.sign_in("tok", user(1, Role("client", 11)), last_used_at=NOW - timedelta(seconds=used_ago_s))
    answered = api.pay(a_body("tok", session_view="default"))
    assert api.world.touched == [NOW] * touched
    assert answered.json["session"]["last_used_at"] == f"2030-05-01T{shown}Z"


def test_a_user_without_a_role_is_told_where_to_register_and_shown_the_session(api: Api) -> None:
    answered = api.pay({"token": NORA})
    assert (answered.code, answered.status) == (401, "client-required")
    assert SessionView.model_validate(answered.json["session"]).user_id == 3
    assert answered.json["data"] == {"register_at": "/api/v1/users/client_register"}
    assert "/api/v1/users/client_register" in answered.json["message"]


def test_the_session_of_client_required_comes_in_the_view_that_is_asked_for(api: Api) -> None:
    assert api.pay({"token": NORA, "session_view": "session_read"}).json["session"]["email"] == "user3@example.com"
    assert "email" not in api.pay({"token": NORA, "session_view": "nonsense"}).json["session"]


def test_roles_that_order_nothing_do_not_make_a_client(api: Api) -> None:
    api.world.sign_in("tok", user(9, Role("finance"), Role("reporting")))
    assert api.pay(a_body("tok")).status == "client-required"


@pytest.mark.parametrize(
    ("roles", "application", "role"),
    [
        (("client", "liaison", "employee"), None, "employee"),
        (("client", "liaison"), "planoorder", "liaison"),
        (("client", "liaison"), "planox2", "client"),
        (("client",), "planox2", "client"),
    ],
)
def test_a_session_acts_in_the_highest_role_that_the_application_serves(
    api: Api, roles: tuple[str, ...], application: str | None, role: str
) -> None:
    api.world.sign_in("tok", user(1, *(Role(name, 11 if name == "client" else None) for name in roles)))
    assert api.pay(a_body("tok", application=application)).status == "action-successful"
    (command,) = api.world.commands
    assert (command.requester.role, command.requester.application) == (role, application or "planoorder")


@pytest.mark.parametrize("application", ["planoauth", "unknown", "PLANOORDER", " ", "a/b", "x" * 101])
def test_an_application_that_does_not_let_the_requester_order_is_invalid(api: Api, application: str) -> None:
    assert api.pay(a_body(application=application)).fault == ("invalid-param", "application")


def test_an_application_without_the_permission_or_the_role_is_invalid(api: Api) -> None:
    applications = api.world.applications
    applications["planoorder"] = replace(applications["planoorder"], permissions=("orders.read",))
    assert api.pay(a_body()).fault == ("invalid-param", "application")
    assert api.pay(a_body(PLANOORDER, order=CLIENT_12)).fault == ("invalid-param", "application")
    api.world.sign_in("tok", user(9, Role("liaison")))
    assert api.pay(a_body("tok", application="planox2", order=CLIENT_12)).fault == ("invalid-param", "application")


def test_an_application_token_acts_as_the_application_itself(api: Api) -> None:
    assert api.pay(a_body(PLANOX2, order=CLIENT_12)).status == "action-successful"
    (command,) = api.world.commands
    assert (command.requester.id, command.requester.role) == ("application:planox2", "application")
    assert command.requester.designation is None
    assert command.client.id == 12


def test_an_application_token_may_name_itself_and_no_other_application(api: Api) -> None:
    assert api.pay(a_body(PLANOX2, application="planox2", order=CLIENT_12)).status == "action-successful"
    fault = api.pay(a_body(PLANOX2, application="planoorder", order=CLIENT_12)).fault
    assert fault == ("invalid-param", "application")


def test_a_token_is_limited_by_its_hash_and_an_invalid_one_by_the_address(api: Api) -> None:
    api.pay(a_body())
    api.pay(a_body("unknown"))
    assert api.world.counted == [f"token:{IDS.token_hash(ADA)}", "address:127.0.0.1"]


def test_whoever_asks_too_often_is_told_when_to_come_back(api: Api) -> None:
    api.world.wait_s["token"] = 33
    answered = api.pay(a_body())
    assert (answered.code, answered.status) == (429, "rate-limit-exceeded")
    assert answered.headers["Retry-After"] == "33"
    assert answered.json["error"]["retry_after_seconds"] == 33

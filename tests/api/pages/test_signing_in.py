"""Signing in and out, and what a page sends along: cookie, headers, form tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.pages.browsing import FORM, Visitor, text_of
from tests.end_to_end.world import ADA, ED, OLD, World

SignedIn = Callable[[str], Visitor]


def test_whoever_is_not_signed_in_is_asked_to_and_comes_back_to_the_page(visitor: Visitor) -> None:
    refused = visitor.get("/console/orders?state=declined")
    assert (refused.code, refused.headers["Location"]) == (
        303,
        "/console/sign-in?next=/console/orders%3Fstate%3Ddeclined",
    )

    visitor.get(refused.headers["Location"])
    answer = visitor.post("/console/sign-in", {"token": ED, "next": "/console/orders?state=declined"})

    assert (answer.code, answer.headers["Location"]) == (303, "/console/orders?state=declined")
    assert visitor.get("/console/orders?state=declined").code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/docs", "/console/\\evil", "/console/sign-in"]
)
def test_signing_in_leads_nowhere_but_into_the_console(visitor: Visitor, elsewhere: str) -> None:
    visitor.get("/console/sign-in")

    answer = visitor.post("/console/sign-in", {"token": ED, "next": elsewhere})

    assert (answer.code, answer.headers["Location"]) == (303, "/console/")


@pytest.mark.parametrize(
    ("token", "reason"),
    [("nobody", "no session with this token"), ("", "no session"), (OLD, "session has ended"), (ADA, "no role")],
)
def test_a_session_that_may_not_in_is_told_why(visitor: Visitor, token: str, reason: str) -> None:
    answer = visitor.sign_in(token)

    assert answer.code == 403
    assert reason in text_of(answer)
    assert visitor.get("/console/").code == 303


def test_the_token_is_in_no_page_no_address_and_no_cookie(signed_in: SignedIn) -> None:
    visitor = signed_in("ed")
    for path in ("/console/", "/console/orders", "/console/orders?q=" + "x"):
        visitor.get(path)

    assert not [page for page in visitor.seen if ED in page]
    assert ED not in (visitor.cookie or "")


def test_the_cookie_is_for_the_server_alone_and_for_this_console(world: World) -> None:
    cookie = Visitor(world).get("/console/sign-in").headers["Set-Cookie"]

    parts = {part.strip().partition("=")[0].lower(): part.strip().partition("=")[2] for part in cookie.split(";")}
    assert {"httponly", "samesite", "path", "max-age"} <= set(parts)
    assert (parts["samesite"], parts["path"]) == ("strict", "/console")
    assert "secure" not in parts  # plain HTTP on this machine: a browser would not keep it


def test_elsewhere_than_on_this_machine_the_cookie_goes_over_tls_only(visitor: Visitor) -> None:
    answer = visitor.get("/console/sign-in", Host="orders.example.org")

    assert "; Secure" in answer.headers["Set-Cookie"]


def test_a_cookie_that_was_changed_signs_nobody_in(signed_in: SignedIn) -> None:
    visitor = signed_in("ed")
    name, _, value = (visitor.cookie or "").partition("=")
    visitor.cookie = f"{name}={value[:40]}{'A' if value[40] != 'A' else 'B'}{value[41:]}"

    assert visitor.get("/console/").code == 303


def test_signing_out_forgets_the_cookie(signed_in: SignedIn) -> None:
    visitor = signed_in("ed")

    answer = visitor.post("/console/sign-out", {})

    assert (answer.code, answer.headers["Location"]) == (303, "/console/sign-in")
    assert visitor.get("/console/").code == 303


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/", "/console/nothing", "/console/static/x/console.css"])
def test_every_answer_has_the_security_headers(signed_in: SignedIn, path: str) -> None:
    headers = signed_in("ed").get(path).headers

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


def test_pages_are_not_kept_and_files_are_kept_for_ever(signed_in: SignedIn) -> None:
    visitor = signed_in("ed")
    page = visitor.get("/console/")
    sheet = page.text.partition('href="/console/static/')[2].partition('"')[0]

    assert page.headers["Cache-Control"] == "no-store"
    assert "immutable" in visitor.get("/console/static/" + sheet).headers["Cache-Control"]
    assert visitor.get("/console/static/old/console.css").headers["Cache-Control"] == "no-cache"
    assert visitor.get("/console/static/x/..%2F__init__.py").code == 404


def test_a_form_without_its_token_is_refused(signed_in: SignedIn) -> None:
    visitor = signed_in("ed")

    for token in ("", "0" * 64):
        visitor.form_token = token
        assert visitor.post("/console/sign-out", {}).code == 403
    assert visitor.get("/console/").code == 200


def test_the_form_token_of_one_visit_is_worth_nothing_in_another(signed_in: SignedIn) -> None:
    ed, fay = signed_in("ed"), signed_in("fay")
    fay.form_token = ed.form_token

    assert fay.post("/console/sign-out", {}).code == 403


def test_a_form_from_another_site_is_refused(signed_in: SignedIn) -> None:
    visitor = signed_in("ed")
    token = visitor.form_token
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        visitor.form_token = token
        assert visitor.post("/console/sign-out", {}, **headers).code == 403, headers
    visitor.form_token = token

    assert visitor.post("/console/sign-out", {}, Origin="null", Sec_Fetch_Site="same-origin").code == 303


def test_only_forms_are_taken_as_forms(signed_in: SignedIn) -> None:
    visitor = signed_in("ed")

    assert visitor.post("/console/sign-out", {}, **{"Content_Type": "text/plain"}).code == 415
    assert visitor.post("/console/sign-out", {}, **{"Content_Type": FORM + "; charset=utf-8"}).code == 303


def test_a_link_from_elsewhere_opens_the_page_again_with_the_cookie(signed_in: SignedIn, visitor: Visitor) -> None:
    there = "/console/orders?state=declined&from=2026-01-01"

    answer = visitor.get(there, Sec_Fetch_Site="cross-site")  # the browser held the cookie back

    assert answer.code == 200
    assert 'content="0; url=/console/orders?state=declined&amp;from=2026-01-01"' in answer.text
    assert answer.headers["Set-Cookie"] is None
    assert signed_in("ed").get(there, Sec_Fetch_Site="same-origin").code == 200


def test_the_example_people_of_the_sandbox_are_a_click_away(visitor: Visitor) -> None:
    page = visitor.get("/console/sign-in")
    assert all(name in page.text for name in ("Ed, employee", "Lee, liaison", "Fay, finance", "Rae, reporting", "Otto"))

    assert visitor.post("/console/sign-in/example", {"person": "fay", "next": ""}).code == 303

    assert "Fay Finance" in visitor.get("/console/").text


def test_nobody_else_is_a_click_away(visitor: Visitor) -> None:
    visitor.get("/console/sign-in")

    assert visitor.post("/console/sign-in/example", {"person": "ada", "next": ""}).code == 403


def test_with_a_real_vendor_nobody_is_a_click_away_and_no_page_says_sandbox(world: World) -> None:
    with world.server(
        mandrill_url="https://mandrillapp.com/api/1.3", authorizenet_url="https://api.authorize.net/x"
    ) as api:
        visitor = Visitor(api)
        page = visitor.get("/console/sign-in")

        assert "Look around as" not in page.text
        assert "Sandbox" not in page.text
        assert visitor.post("/console/sign-in/example", {"person": "ed", "next": ""}).code == 403


def test_every_page_says_that_it_shows_the_sandbox(signed_in: SignedIn) -> None:
    visitor = signed_in("ed")

    for path in ("/console/", "/console/orders", "/console/nothing"):
        assert "no real money, no real mail" in visitor.get(path).text


def test_a_directory_that_cannot_be_read_is_said_on_a_page(world: World, signed_in: SignedIn) -> None:
    visitor = signed_in("ed")

    with world.without("directory_sessions"):
        answer = visitor.get("/console/orders")

    assert answer.code == 503
    assert "cannot be read at the moment" in text_of(answer)
    assert answer.headers["Content-Security-Policy"]


def test_a_crash_is_a_page_too_and_says_nothing_of_its_cause(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = signed_in("ed")

    def broken(*_: object) -> None:
        raise RuntimeError("a secret cause")

    monkeypatch.setattr("api.pages.orders.listing.list_orders", broken)
    answer = visitor.get("/console/orders")

    assert answer.code == 500
    assert "Something broke" in text_of(answer)
    assert answer.headers["X-Request-Id"] in answer.text
    assert "secret" not in answer.text
    assert answer.headers["Content-Security-Policy"]

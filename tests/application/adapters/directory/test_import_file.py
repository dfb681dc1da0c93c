"""What a directory file may hold, and how a fault in it is named. No database is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from application.adapters.directory import DirectoryImport, InvalidImport, import_json, read_import
from application.adapters.directory.import_times import parse_time
from application.ports import PromotionRecord, Role
from tests.application.adapters.directory.example import NOW, example, file_of

Change = Callable[[dict[str, Any]], Any]

FAULTS: list[tuple[str, Change, str]] = [
    ("text for a number", lambda f: f["sessions"][1].update(user_id="2"), "sessions[1].user_id: expected int, got str"),
    ("a fraction for a number", lambda f: f["users"][0].update(id=1.0), "users[0].id: expected int, got float"),
    ("a truth value for a number", lambda f: f["users"][0].update(id=True), "users[0].id: expected int, got bool"),
    ("a number above 64 bits", lambda f: f["users"][0].update(id=2**63), "users[0].id: "),
    ("a missing field", lambda f: f["clients"][0].pop("email"), "clients[0].email: is missing"),
    ("an unknown field", lambda f: f["clients"][0].update(vip=1), "clients[0]: has a field that is not part"),
    ("an unknown section", lambda f: f.update(cars=[]), "has a field that is not part of the format"),
    ("a section that is null", lambda f: f.update(users=None), "users: expected array, got null"),
    ("an unknown role", lambda f: f["applications"][0].update(roles=["king"]), "applications[0].roles[0]: is none of"),
    ("an unknown kind", lambda f: f["services"][0].update(kind="x"), "services[0].kind: is none of the allowed values"),
    ("no price", lambda f: f["services"][0].update(prices_cents={}), "services[0].prices_cents: "),
    (
        "a negative price",
        lambda f: f["services"][0]["prices_cents"].update({"10": -1}),
        "services[0].prices_cents[...]: ",
    ),
    ("quantity zero", lambda f: f["services"][0]["prices_cents"].update({"0": 1}), "services[0].prices_cents: "),
    ("month 13", lambda f: f["payment_methods"][0].update(exp_month=13), "payment_methods[0].exp_month: "),
    ("three last digits", lambda f: f["payment_methods"][0].update(last4="111"), "payment_methods[0].last4: "),
    ("other digits", lambda f: f["payment_methods"][0].update(last4="١١١١"), "payment_methods[0].last4: "),
    ("a nul character", lambda f: f["users"][0].update(first_name="a\x00"), "users[0].first_name: "),
    ("a blank name", lambda f: f["users"][0].update(first_name="  "), "users[0].first_name: "),
    (
        "a time without offset",
        lambda f: f["sessions"][0].update(created_at="2026-01-01T00:00"),
        "sessions[0].created_at: must",
    ),
    (
        "a time in weeks",
        lambda f: f["sessions"][0].update(last_used_at="now-1w"),
        "sessions[0].last_used_at: must be now",
    ),
    ("percent 0", lambda f: f["promotions"][0].update(percent_off=0), "promotions[0].percent_off: "),
    ("percent 101", lambda f: f["promotions"][0].update(percent_off=101), "promotions[0].percent_off: "),
    ("two discounts", lambda f: f["promotions"][0].update(amount_off_cents=1), "promotions[0]: needs exactly one"),
    ("no discount", lambda f: f["promotions"][0].pop("percent_off"), "promotions[0]: needs exactly one"),
    (
        "an end before the start",
        lambda f: f["promotions"][0].update(ends_at="now-2d"),
        "promotions[0].ends_at: must come",
    ),
    (
        "a client role without client",
        lambda f: f["users"][1].update(roles=[{"role": "client"}]),
        "users[1].roles[0].client_id",
    ),
    ("an unknown user", lambda f: f["sessions"][0].update(user_id=9), "sessions[0].user_id: is not one of the users"),
    (
        "an unknown owner",
        lambda f: f["payment_methods"][1].update(client_id=9),
        "payment_methods[1].client_id: is not one",
    ),
    (
        "an unknown role's client",
        lambda f: f["users"][0]["roles"][0].update(client_id=9),
        "users[0].roles[0].client_id: is",
    ),
    ("a user twice", lambda f: f["users"].append(f["users"][0]), "users[2].id: is there twice"),
    ("a session twice", lambda f: f["sessions"].append(f["sessions"][0]), "sessions[2].token: is there twice"),
    (
        "one token for two",
        lambda f: f["sessions"][0].update(token="app-shop-token"),
        "sessions[0].token: is there twice",
    ),
    (
        "one code for two",
        lambda f: f["promotions"][1].update(code=" spring10 "),
        "promotions[1].code: another promotion",
    ),
    (
        "two defaults",
        lambda f: f["payment_methods"][1].update(default=True),
        "payment_methods[1].default: the client has",
    ),
    (
        "one route for two",
        lambda f: f["api_services"][0]["routes"].append(f["api_services"][0]["routes"][0] | {"slug": "other"}),
        "api_services[0].routes[1].path: another route",
    ),
    (
        "a card number",
        lambda f: f["payment_methods"][0].update(brand="4111111111111111"),
        "payment_methods[0].brand: looks",
    ),
    (
        "one with spaces",
        lambda f: f["payment_methods"][0].update(brand="4111 1111-1111.1111"),
        "payment_methods[0].brand: ",
    ),
    (
        "a number that is one",
        lambda f: f["payment_methods"][0].update(id=4111111111111111),
        "payment_methods[0].id: looks",
    ),
    (
        "one as a field name",
        lambda f: f["payment_methods"][0].update({"4111111111111111": 1}),
        "payment_methods[0]: looks",
    ),
]


@pytest.mark.parametrize(("change", "message"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_a_fault_is_named_by_its_path_and_never_by_its_value(change: Change, message: str) -> None:
    content = example()
    change(content)
    with pytest.raises(InvalidImport) as refused:
        read_import(file_of(content), NOW)
    assert str(refused.value).startswith(message)
    assert "4111" not in str(refused.value)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "the file is not JSON"),
        (b"{", "the file is not JSON"),
        (b"[]", "expected object, got array"),
        (b"\xff{}", "the file is not UTF-8"),
        (b'{"users": [], "users": []}', "an object of the file has the same key twice"),
        (b'{"users": ' + b"[" * 100_000, "the file is nested too deep"),
        (b'{"users": [{"id": NaN}]}', "the file is not JSON"),
        (b'{"users": [{"id": ' + b"9" * 5000 + b"}]}", "the file is not JSON"),
    ],
    ids=["empty", "broken", "array", "encoding", "duplicate key", "deep", "nan", "huge number"],
)
def test_what_is_no_json_object_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(InvalidImport, match=message):
        read_import(raw, NOW)


def test_a_file_above_the_size_limit_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_json, "FILE_MAX_BYTES", 10)
    with pytest.raises(InvalidImport, match="larger than 10 bytes"):
        read_import(b"[" * 11, NOW)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidImport):
        read_import(file_of(example()).replace(b"Carla", b"\\ud800"), NOW)


def test_an_absent_section_is_none_and_an_empty_one_is_empty() -> None:
    read = read_import(b'{"users": []}', NOW)
    assert read == DirectoryImport(read_at=NOW, users=())


def test_the_example_is_read_with_roles_times_and_defaults() -> None:
    read = read_import(file_of(example()), NOW)
    assert read.users is not None
    assert read.sessions is not None
    assert read.services is not None
    assert read.users[0].roles == (Role("client", 11),)
    assert read.sessions[0].created_at == NOW - timedelta(days=2)
    assert read.sessions[1].created_at == datetime(2026, 2, 27, 15, 0, tzinfo=UTC)
    assert [service.previous_order_required for service in read.services] == [False, True]
    assert read.services[0].prices_cents == {10: 15000, 15: 18500}


def test_a_promotion_id_comes_from_the_code_in_any_case_unless_it_is_given() -> None:
    def ids(code: str) -> list[UUID]:
        content = example()
        content["promotions"][0]["code"] = code
        promotions: tuple[PromotionRecord, ...] | None = read_import(file_of(content), NOW).promotions
        assert promotions is not None
        return [promotion.promotion_id for promotion in promotions]

    assert ids("Spring10") == ids(" SPRING10 ")
    assert ids("Spring10")[0] != ids("Spring11")[0]
    assert ids("Spring10")[1] == UUID("5d0c3a3e-8f4e-4d0c-9a60-8d3f2b8f1c11")


def test_a_number_that_is_no_card_number_may_be_long() -> None:
    content = example()
    content["payment_methods"][0]["customer_profile_id"] = "4111111111111112"  # the check digit is wrong
    assert read_import(file_of(content), NOW).payment_methods is not None


def test_example_tokens_are_known_and_no_token_is_shown() -> None:
    content = example()
    assert not read_import(file_of(content), NOW).has_example_tokens
    content["sessions"][0]["token"] = "session-x-example-token"
    read = read_import(file_of(content), NOW)
    assert read.has_example_tokens
    assert "token" not in repr(read).replace("has_example_tokens", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("now-8d", NOW - timedelta(days=8)),
        ("now+30m", NOW + timedelta(minutes=30)),
        ("now-5s", NOW - timedelta(seconds=5)),
        ("now-1h", NOW - timedelta(hours=1)),
        ("2026-03-01T13:00:00+01:00", NOW),
        ("2026-03-01T12:00:00Z", NOW),
    ],
)
def test_times_are_relative_or_have_an_offset(text: str, expected: datetime) -> None:
    assert parse_time(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "NOW", "now -1d", "now-999999d", "now+1.5h", "yesterday", "2026-03-01", "now\n"])
def test_any_other_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text, NOW)

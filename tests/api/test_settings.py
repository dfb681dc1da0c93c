"""Settings are read once, refuse what cannot be, and say what production does not take."""

from __future__ import annotations

import os

import pytest
from pydantic import ValidationError

from api.production import production_problems
from api.sandbox.authorizenet.config import GatewayConfig
from api.sandbox.mandrill.config import MailConfig
from api.settings import PREFIX, Settings, SettingsError, beside_database, load_settings

IN_ORDER = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://orders@db.internal/orders",
    "AUTHORIZENET_URL": "https://api.authorize.net/xml/v1/request.api",
    "AUTHORIZENET_LOGIN_ID": "5KP3u95bQpv",
    "AUTHORIZENET_TRANSACTION_KEY": "346HZ32z3fP4hTG2",
    "AUTHORIZENET_SIGNATURE_KEY": "A" * 128,
    "MANDRILL_URL": "https://mandrillapp.com/api/1.3",
    "MANDRILL_API_KEY": "md-abcdefghij",
    "MANDRILL_WEBHOOK_KEY": "wh-abcdefghij",
    "MANDRILL_WEBHOOK_URL": "https://orders.test/webhooks/mandrill",
    "EMAIL_FROM": "orders@orders.test",
    "SECRET_KEY": "s" * 40,
    "SEAL_KEY": "c2VhbC1rZXktb2YtYS1wcm9kdWN0aW9uLXN5c3RlbSE=",
}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(PREFIX + name, value)


def test_without_any_variable_the_settings_are_those_of_the_sandbox() -> None:
    settings = load_settings()
    assert settings.environment == "development"
    assert settings.authorizenet_url == "http://127.0.0.1:8901/xml/v1/request.api"
    assert settings.mandrill_url == "http://127.0.0.1:8902/api/1.3"
    assert (settings.gateway_deadline_s, settings.payment_expiry_s, settings.held_expiry_s) == (25, 900, 259_200)
    assert (settings.duplicate_window_s, settings.recovery_interval_s) == (120, 5)


def test_the_default_keys_open_the_sandbox() -> None:
    settings = load_settings()
    assert settings.authorizenet_login_id.get_secret_value() == GatewayConfig().login_id
    assert settings.authorizenet_transaction_key.get_secret_value() == GatewayConfig().transaction_key
    assert settings.mandrill_api_key.get_secret_value() == MailConfig().api_key


@pytest.mark.parametrize(
    ("database_url", "keys_url"),
    [
        ("sqlite:///var/orders.db", "sqlite:///var/orders-keys.db"),
        ("sqlite:////srv/v1.2/orders", "sqlite:////srv/v1.2/orders-keys"),
        ("sqlite:///a.db?timeout=3", "sqlite:///a-keys.db?timeout=3"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://h/orders", "postgresql://h/orders"),
    ],
)
def test_the_keys_lie_beside_the_database(database_url: str, keys_url: str) -> None:
    assert beside_database(database_url, "keys") == keys_url
    assert Settings(database_url=database_url).key_store_url == keys_url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_DEADLINE_S", "canary"),
        ("GATEWAY_DEADLINE_S", "0"),
        ("ENVIRONMENT", "canary"),
        ("AUTHORIZENET_URL", "ftp://canary"),
        ("DATABASE_URL", "mysql://canary"),
        ("RATE_LIMIT", "canary"),
        ("RATE_LIMIT", "0/60s"),
        ("LOG_LEVEL", "canary"),
        ("EMAIL_FROM", "canary"),
        ("SECRET_KEY", "canary"),
        ("SEAL_KEY", "canary"),
        ("SEAL_KEY", "Y2FuYXJ5"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    given(monkeypatch, **{name: value})
    with pytest.raises(SettingsError) as refused:
        load_settings()
    (problem,) = refused.value.problems
    assert problem.startswith(f"ORDERS_{name}: ")
    assert "canary" not in str(refused.value)


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, DATABASE_URL="x", LOG_LEVEL="y")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert [problem.split(":")[0] for problem in refused.value.problems] == ["ORDERS_DATABASE_URL", "ORDERS_LOG_LEVEL"]


def test_settings_do_not_change_once_they_are_read() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.environment = "production"


def test_no_secret_shows_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, SECRET_KEY="canary-" * 5, DATABASE_URL="postgresql://me:canary@h/db")
    assert "canary" not in repr(load_settings())


@pytest.mark.parametrize(
    ("variables", "rate"),
    [
        ({}, "off"),
        ({"ENVIRONMENT": "production"}, "50/60s"),
        ({"ENVIRONMENT": "production", "RATE_LIMIT": "off"}, "off"),
        ({"RATE_LIMIT": "5/1s"}, "5/1s"),
    ],
)
def test_the_rate_limit_is_off_in_development_and_50_a_minute_in_production(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], rate: str
) -> None:
    given(monkeypatch, **variables)
    assert load_settings().rate_limit_in_force == rate


def test_production_takes_settings_that_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **IN_ORDER)
    assert production_problems(load_settings()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTHORIZENET_URL", "https://apitest.authorize.net/xml/v1/request.api"),
        ("AUTHORIZENET_URL", "http://api.authorize.net/xml/v1/request.api"),
        ("AUTHORIZENET_URL", "https://127.0.0.2:8901/x"),
        ("MANDRILL_URL", "https://[::1]/api/1.3"),
        ("MANDRILL_URL", "https://LOCALHOST./api/1.3"),
        ("MANDRILL_WEBHOOK_URL", "http://orders.test/webhooks"),
        ("AUTHORIZENET_LOGIN_ID", "sandbox-login"),
        ("MANDRILL_API_KEY", "   "),
        ("SECRET_KEY", "example-secret-key-of-the-orders-engine"),
        ("SECRET_KEY", "s" * 31),
        ("SEAL_KEY", "ZXhhbXBsZS1zZWFsLWtleS1vZi10aGUtb3JkZXJzISE="),
        ("EMAIL_FROM", "orders@example.com"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///file:x?mode=memory&uri=true"),
        ("DATABASE_URL", "sqlite:////srv/orders.db?synchronous=OFF"),
        ("DATABASE_URL", "sqlite:////srv/orders.db?journal_mode=memory"),
        ("DATABASE_URL", "postgresql://h/o?options=-c%20synchronous_commit%3Doff"),
        ("KEY_STORE_URL", "sqlite:///:memory:"),
    ],
)
def test_production_refuses_what_belongs_to_a_sandbox_or_may_lose_data(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    given(monkeypatch, **{**IN_ORDER, "KEY_STORE_URL": "sqlite:////srv/keys.db", name: value})
    (problem,) = production_problems(load_settings())
    assert problem.startswith(f"ORDERS_{name} ")
    assert value.strip() == "" or value not in problem


def test_production_refuses_every_default_that_is_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, ENVIRONMENT="production")
    named = {problem.split()[0].removeprefix(PREFIX) for problem in production_problems(load_settings())}
    assert named == set(IN_ORDER) - {"ENVIRONMENT", "DATABASE_URL"}

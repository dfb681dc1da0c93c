"""What counts as the sandbox: both the place and the keys, so that a tunnel to the real gateway does not."""

from __future__ import annotations

import pytest

from api.pages.sandbox import notice_for, offers_example_people
from api.settings import Settings
from api.stand_ins import money_is_real

SANDBOX = "Sandbox: no real money, no real mail."
REAL_KEYS = {"authorizenet_login_id": "5KP3u95bQpv", "authorizenet_transaction_key": "346HZ32z3fP4hTG2"}


def settings(**changes: str) -> Settings:
    return Settings.model_validate(changes)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "[::1]", "gateway.localhost"])
def test_every_address_of_this_machine_with_the_example_keys_is_the_sandbox(host: str) -> None:
    ours = settings(authorizenet_url=f"http://{host}:8901/x", mandrill_url=f"http://{host}:8902/api/1.3")

    assert (notice_for(ours), offers_example_people(ours), money_is_real(ours)) == (SANDBOX, True, False)


def test_a_local_tunnel_to_the_real_gateway_is_real_money() -> None:
    ours = settings(**REAL_KEYS)

    assert notice_for(ours) == "Mail sandbox: no real mail. Money is real."
    assert not offers_example_people(ours)
    assert money_is_real(ours)


def test_a_local_tunnel_to_the_real_mail_provider_is_real_mail() -> None:
    ours = settings(mandrill_api_key="md-of-a-real-account")

    assert notice_for(ours) == "Test gateway: no real money. Mail is real."
    assert not offers_example_people(ours)


def test_the_test_system_of_the_vendor_is_said_to_be_one() -> None:
    ours = settings(authorizenet_url="https://apitest.authorize.net/xml/v1/request.api", **REAL_KEYS)

    assert notice_for(ours) == "Test gateway: no real money."
    assert not money_is_real(ours)


def test_with_both_real_vendors_nothing_is_said() -> None:
    ours = settings(
        authorizenet_url="https://api.authorize.net/xml/v1/request.api",
        mandrill_url="https://mandrillapp.com/api/1.3",
        **REAL_KEYS,
    )

    assert notice_for(ours) is None
    assert not offers_example_people(ours)

"""The contract facts, on Authorize.net's own test system. Needs a test account with one stored, chargeable card."""

from __future__ import annotations

import asyncio
import os

import pytest

from application.adapters.authorizenet import AuthorizeNetConfig, AuthorizeNetGateway
from tests.application.adapters.authorizenet.contract_facts import FACTS, Fact, StoredCard, Vendor

PREFIX = "ORDERS_TEST_AUTHORIZENET_"
NEEDED = [PREFIX + name for name in ("LOGIN_ID", "TRANSACTION_KEY", "CUSTOMER_PROFILE_ID", "PAYMENT_PROFILE_ID")]
URL = "https://apitest.authorize.net/xml/v1/request.api"

pytestmark = [
    pytest.mark.vendor,
    pytest.mark.skipif(not all(map(os.environ.get, NEEDED)), reason="needs " + ", ".join(NEEDED)),
]


@pytest.fixture
def account() -> tuple[AuthorizeNetConfig, StoredCard]:
    login_id, transaction_key, customer_profile_id, payment_profile_id = (os.environ[name] for name in NEEDED)
    card = StoredCard(customer_profile_id, payment_profile_id)
    return AuthorizeNetConfig(URL, login_id, transaction_key), card


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_the_vendors_test_system_shows_that(fact: Fact, account: tuple[AuthorizeNetConfig, StoredCard]) -> None:
    async def scenario() -> None:
        config, card = account
        gateway = AuthorizeNetGateway(config)
        try:
            await fact(Vendor(config, card, gateway))
        finally:
            await gateway.close()

    asyncio.run(scenario())

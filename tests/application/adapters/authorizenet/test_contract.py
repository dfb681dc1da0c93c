"""The contract facts, on the sandbox and, with the keys of a test account, on Authorize.net's own test system."""

from __future__ import annotations

import asyncio
import os

import pytest

from api.sandbox.authorizenet.app import create_app
from api.sandbox.authorizenet.config import GatewayConfig
from api.sandbox.authorizenet.profiles import PROFILE_IDS
from api.sandbox.running import RunningSandbox
from application.adapters.authorizenet import AuthorizeNetConfig, AuthorizeNetGateway
from tests.application.adapters.authorizenet.contract_facts import FACTS, Fact, StoredCard, Vendor

PREFIX = "ORDERS_TEST_AUTHORIZENET_"
NEEDED = [PREFIX + name for name in ("LOGIN_ID", "TRANSACTION_KEY", "CUSTOMER_PROFILE_ID", "PAYMENT_PROFILE_ID")]
URL = "https://apitest.authorize.net/xml/v1/request.api"

every_fact = pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)


async def show(fact: Fact, config: AuthorizeNetConfig, card: StoredCard) -> None:
    gateway = AuthorizeNetGateway(config)
    try:
        await fact(Vendor(config, card, gateway))
    finally:
        await gateway.close()


@every_fact
def test_the_sandbox_shows_that(fact: Fact) -> None:
    async def scenario() -> None:
        account = GatewayConfig()
        async with RunningSandbox(create_app(account)) as sandbox:
            url = sandbox.url + "/xml/v1/request.api"
            config = AuthorizeNetConfig(url, account.login_id, account.transaction_key)
            await show(fact, config, StoredCard("900000001", PROFILE_IDS["approved"]))

    asyncio.run(scenario())


@pytest.mark.vendor
@pytest.mark.skipif(not all(map(os.environ.get, NEEDED)), reason="needs " + ", ".join(NEEDED))
@every_fact
def test_the_vendors_test_system_shows_that(fact: Fact) -> None:
    login_id, transaction_key, customer_profile_id, payment_profile_id = (os.environ[name] for name in NEEDED)
    config = AuthorizeNetConfig(URL, login_id, transaction_key)
    asyncio.run(show(fact, config, StoredCard(customer_profile_id, payment_profile_id)))

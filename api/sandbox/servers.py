"""Both sandbox servers, set up with the keys that the settings give."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from api.sandbox.authorizenet.app import create_app as create_gateway
from api.sandbox.authorizenet.config import GatewayConfig
from api.sandbox.mandrill.app import create_app as create_mail
from api.sandbox.mandrill.config import MailConfig
from api.sandbox.running import RunningSandbox
from api.settings import Settings

GATEWAY_PATH = "/xml/v1/request.api"
MAIL_PATH = "/api/1.3"


@dataclass(frozen=True)
class Sandboxes:
    """The two servers while they run."""

    gateway: RunningSandbox
    mail: RunningSandbox

    @property
    def authorizenet_url(self) -> str:
        return self.gateway.url + GATEWAY_PATH

    @property
    def mandrill_url(self) -> str:
        return self.mail.url + MAIL_PATH


@asynccontextmanager
async def sandboxes(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    gateway_port: int = 0,
    mail_port: int = 0,
    webhook_url: str | None = None,
) -> AsyncIterator[Sandboxes]:
    """Run both while the block lasts. `webhook_url`: the product's base URL, which signed webhooks are then sent to."""
    gateway_config = GatewayConfig(
        login_id=settings.authorizenet_login_id.get_secret_value(),
        transaction_key=settings.authorizenet_transaction_key.get_secret_value(),
        signature_key=settings.authorizenet_signature_key.get_secret_value(),
        webhook_url=f"{webhook_url}/webhooks/authorizenet" if webhook_url else None,
    )
    mail_config = MailConfig(
        api_key=settings.mandrill_api_key.get_secret_value(),
        webhook_key=settings.mandrill_webhook_key.get_secret_value(),
        webhook_url=f"{webhook_url}/webhooks/mandrill" if webhook_url else None,
    )
    async with (
        RunningSandbox(create_gateway(gateway_config), host=host, port=gateway_port) as gateway,
        RunningSandbox(create_mail(mail_config), host=host, port=mail_port) as mail,
    ):
        yield Sandboxes(gateway, mail)


async def run_until_stopped(settings: Settings, host: str, gateway_port: int, mail_port: int) -> None:
    """Serve both until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with sandboxes(settings, host=host, gateway_port=gateway_port, mail_port=mail_port) as running:
        sys.stdout.write(
            "orders: SANDBOX servers, no real money and no real mail\n"
            f"  Authorize.net  {running.authorizenet_url}   ledger {running.gateway.url}/_ledger\n"
            f"  Mandrill       {running.mandrill_url}   ledger {running.mail.url}/_ledger\n"
        )
        sys.stdout.flush()
        await stopped.wait()

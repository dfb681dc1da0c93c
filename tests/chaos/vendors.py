"""The vendors' sandboxes in a process of their own: what they remember survives whatever happens to the product."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.sandbox.authorizenet import GatewayConfig
from api.sandbox.authorizenet import create_app as create_gateway
from api.sandbox.mandrill import MailConfig
from api.sandbox.mandrill import create_app as create_mail
from api.sandbox.running import RunningSandbox
from api.sandbox.servers import GATEWAY_PATH, MAIL_PATH
from api.settings import EXAMPLE_KEYS
from tests.chaos.launcher import detach
from tests.chaos.processes import Process


@dataclass(frozen=True)
class VendorLimits:
    """How slow the vendors may be, and where their webhooks go."""

    late_s: float = 1.0  # until the charge of `approved-late` appears
    slow_s: float = 0.5
    hang_s: float = 20.0
    webhook_url: str | None = None  # the product's base URL


@dataclass(frozen=True)
class Vendors:
    """The two servers while they run."""

    process: Process
    gateway: str  # base URLs, of the control routes too
    mail: str

    @property
    def authorizenet_url(self) -> str:
        return self.gateway + GATEWAY_PATH

    @property
    def mandrill_url(self) -> str:
        return self.mail + MAIL_PATH

    def transactions(self) -> list[dict[str, Any]]:
        """Every transaction of the gateway."""
        rows: list[dict[str, Any]] = fetch(f"{self.gateway}/_ledger")["transactions"]
        return rows

    def calls(self) -> dict[str, int]:
        """How often the gateway was asked for each operation."""
        calls: dict[str, int] = fetch(f"{self.gateway}/_ledger")["calls"]
        return calls

    def messages(self) -> list[dict[str, Any]]:
        """Every message that the mail provider has taken."""
        rows: list[dict[str, Any]] = fetch(f"{self.mail}/_ledger")["messages"]
        return rows

    def delay_gateway(self, delay_ms: int) -> None:
        fetch(f"{self.gateway}/_faults", {"delay_ms": delay_ms})

    def settle(self) -> int:
        """Close the open transactions into a batch; how many there were."""
        return int(fetch(f"{self.gateway}/_ledger/settle", {})["transactions"])


@contextmanager
def vendors(log: Path, limits: VendorLimits | None = None) -> Iterator[Vendors]:
    """Run both, with empty ledgers, while the block lasts."""
    process = Process(_serve, (limits or VendorLimits(),), log)
    try:
        gateway, mail = process.wait_until_ready().split()
        yield Vendors(process, gateway, mail)
    finally:
        process.kill()


def fetch(url: str, wish: Mapping[str, Any] | None = None) -> Any:
    """Look into a sandbox, or tell it something."""
    body = None if wish is None else json.dumps(wish).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, body, timeout=10) as response:
        return json.loads(response.read())


def _serve(limits: VendorLimits, log: Path) -> None:
    detach(log)
    asyncio.run(_serve_forever(limits))


async def _serve_forever(limits: VendorLimits) -> None:
    webhooks = f"{limits.webhook_url}/webhooks" if limits.webhook_url else None
    gateway_config = GatewayConfig(
        late_s=limits.late_s,
        slow_s=limits.slow_s,
        hang_s=limits.hang_s,
        webhook_url=webhooks and f"{webhooks}/authorizenet",
        signature_key=EXAMPLE_KEYS["authorizenet_signature_key"],
    )
    mail_config = MailConfig(
        slow_s=limits.slow_s,
        hang_s=limits.hang_s,
        searches_per_minute=1_000_000,  # the outbox is to be done within seconds
        webhook_url=webhooks and f"{webhooks}/mandrill",
        webhook_key=EXAMPLE_KEYS["mandrill_webhook_key"],
    )
    async with (
        RunningSandbox(create_gateway(gateway_config)) as gateway,
        RunningSandbox(create_mail(mail_config)) as mail,
    ):
        sys.stdout.write(f"vendors: {gateway.url} {mail.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

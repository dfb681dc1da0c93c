"""The background work as it is put together for a process, on a real store, against both sandboxes over HTTP.

Nothing runs by itself: tests hand work to the handlers one look at a time, and move the clock on by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch
from uuid import UUID

from aiohttp import ClientSession, ClientTimeout

from api.bootstrap import Service, migrate
from api.sandbox.authorizenet.app import create_app as create_gateway
from api.sandbox.authorizenet.config import GatewayConfig
from api.sandbox.authorizenet.profiles import PROFILE_IDS
from api.sandbox.mandrill.app import create_app as create_mail
from api.sandbox.mandrill.config import MailConfig
from api.sandbox.running import RunningSandbox
from api.settings import EXAMPLE_KEYS, Settings
from application.commands import Outcome
from application.ports import ClientRecord, PromotionRecord
from application.stored_events import CODEC
from application.work import LookAgain, WorkItem, WorkKind
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.promotion import PromotionRedemption
from domain.stream import Stream
from tests.application.world import CARD, CLIENT, SPRING10, a_command
from tests.sandbox.authorizenet.client import Client, transaction_id

GATEWAY = GatewayConfig(slow_s=0.05, late_s=0.1, hang_s=3.0)
MAIL = MailConfig(api_key=EXAMPLE_KEYS["mandrill_api_key"], searches_per_minute=1_000_000)
CHARGE = "authCaptureTransaction"
DETAILS = "getTransactionDetailsRequest"
VOID = "voidTransaction"
REFUND = "refundTransaction"
REVIEW = "updateHeldTransactionRequest"
DEADLINE_S = 0.4  # of the gateway: what never answers costs a test this much


class MovedClock:
    """The real time and what a test has added to it, here and at the vendors; sleeping hardly takes any."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


@dataclass
class BackgroundWorld:
    service: Service
    clock: MovedClock
    gateway: Client
    mail_url: str
    http: ClientSession
    houses: count[int] = field(default_factory=lambda: count(1))

    # --- given and when -----------------------------------------------------------------------------------------------

    async def submit(
        self,
        card: str = "approved",
        promotion: PromotionRecord | None = None,
        recipients: Sequence[str] = (CLIENT.email,),
        **changes: Any,
    ) -> Outcome:
        """Ada orders for a new house, with the card that ends as the sandbox's profile of that name says."""
        client = ClientRecord(CLIENT.id, CLIENT.name, recipients[0], tuple(recipients[1:]))
        method = replace(CARD, payment_profile_id=PROFILE_IDS[card])
        command = a_command(next(self.houses), promotion, payment_method=method, client=client, **changes)
        return await self.service._handler(command, lambda: None)

    async def placed(self, card: str = "approved", **changes: Any) -> UUID:
        """The id of an order that was placed so."""
        outcome = await self.submit(card, **changes)
        assert outcome.order_id is not None
        return outcome.order_id

    async def unanswered(self, card: str = "approved", **changes: Any) -> UUID:
        """An order whose charge never reached the gateway, though nobody here can know that."""
        await self.gateway_fault(CHARGE, "dropped-before-charge")
        return await self.placed(card, **changes)

    async def charge(self, invoice: str, card: str = "approved", amount: str = "185.00") -> str:
        """Given a charge that somebody else makes at the gateway; its transaction id."""
        reply = await self.gateway.charge(card, invoice=invoice, amount=amount)
        return transaction_id(reply)

    async def look(self, kind: WorkKind, order_id: UUID, tries: int = 0) -> LookAgain | None:
        """One look of the background work at the order."""
        return await self.service.worker._handlers[kind](WorkItem(order_id, kind, tries, ticket=0))

    async def recover(self, order_id: UUID, tries: int = 0) -> LookAgain | None:
        return await self.look(WorkKind.PAYMENT, order_id, tries)

    async def take_back(self, order_id: UUID) -> LookAgain | None:
        return await self.look(WorkKind.CORRECTION, order_id)

    async def send_emails(self, order_id: UUID) -> LookAgain | None:
        return await self.look(WorkKind.EMAIL, order_id)

    async def reconcile(self) -> None:
        """One round, on read models that are up to date."""
        await self.catch_up()
        await self.look_at_gateway()

    async def look_at_gateway(self) -> None:
        """One round, on read models as they are."""
        assert await self.look(WorkKind.RECONCILE, UUID(int=0)) is not None

    async def catch_up(self) -> None:
        while await self.service.projector.catch_up():
            pass

    async def gateway_fault(self, operation: str, outcome: str, **wish: Any) -> None:
        """Given how the next request of that operation will end."""
        status, _ = await self.gateway.post("/_faults", {"operation": operation, "outcome": outcome, **wish})
        assert status == 200

    async def mail_fault(self, outcome: str, sends: int = 1) -> None:
        """Given how the next sends will end."""
        async with self.http.post(f"{self.mail_url}/_faults", json={"outcome": outcome, "sends": sends}) as answer:
            assert answer.status == 200

    async def settle(self) -> None:
        await self.gateway.post("/_ledger/settle")

    # --- then ---------------------------------------------------------------------------------------------------------

    async def order(self, order_id: UUID) -> Order:
        return await self.service.streams.order(order_id)

    async def transaction_id(self, order_id: UUID) -> str:
        payment = (await self.order(order_id)).payment
        assert payment is not None
        assert payment.transaction_id is not None
        return payment.transaction_id

    async def invoice_number(self, order_id: UUID) -> str:
        payment = (await self.order(order_id)).payment
        assert payment is not None
        assert payment.invoice_number is not None
        return payment.invoice_number

    async def events(self, order_id: UUID) -> list[str]:
        return [type(event).__name__ for _, event in await self.service.events.history(order_id)]

    async def everything(self) -> list[Stream.Event]:
        """The whole log."""
        return [CODEC.decode(stored) for stored in await self.service.events.recorder.notifications(1, 10_000)]

    async def notifications(self) -> list[tuple[str, UUID | None]]:
        """Kind and order of every notification."""
        raised = [event for event in await self.everything() if isinstance(event, Notification.Raised)]
        return [(event.kind, event.order_id) for event in raised]

    async def window(self, order_id: UUID) -> DuplicateWindow:
        requested = (await self.order(order_id)).requested
        assert requested is not None
        return (await self.service.events.load((DuplicateWindow, requested.duplicate_window_id)))[0]

    async def redemption(self, promotion: PromotionRecord = SPRING10) -> PromotionRedemption:
        redemption_id = self.service.derived.redemption_id(promotion.promotion_id, "user:1")
        return (await self.service.events.load((PromotionRedemption, redemption_id)))[0]

    async def statuses(self) -> dict[str, str]:
        """What the gateway says of each transaction."""
        return {row["transId"]: row["status"] for row in await self.gateway.transactions()}

    async def calls(self, operation: str) -> int:
        """How often the gateway was asked for that."""
        return int((await self.gateway.ledger())["calls"].get(operation, 0))

    async def mails(self) -> list[dict[str, Any]]:
        """What the mail provider has taken, oldest first."""
        async with self.http.get(f"{self.mail_url}/_ledger") as answer:
            return list((await answer.json())["messages"])

    async def sends(self) -> int:
        """How many sends the mail provider was asked for."""
        async with self.http.get(f"{self.mail_url}/_ledger") as answer:
            return sum((await answer.json())["calls"].values())


@asynccontextmanager
async def background_world(
    database_url: str, *, gateway: GatewayConfig = GATEWAY, mail: MailConfig = MAIL, **settings: Any
) -> AsyncIterator[BackgroundWorld]:
    """A migrated store, both sandboxes and one process whose background work has not been started."""
    clock = MovedClock()
    async with (
        RunningSandbox(create_gateway(replace(gateway, clock=clock.now))) as authorizenet,
        RunningSandbox(create_mail(replace(mail, clock=clock.now))) as mandrill,
        ClientSession(timeout=ClientTimeout(total=10)) as http,
    ):
        ours = Settings(
            database_url=database_url,
            authorizenet_url=f"{authorizenet.url}/xml/v1/request.api",
            mandrill_url=f"{mandrill.url}/api/1.3",
            **{"gateway_deadline_s": DEADLINE_S, **settings},
        )
        await migrate(ours)
        with patch("api.bootstrap.SystemClock", lambda: clock):
            service = Service(ours)
        try:
            yield BackgroundWorld(service, clock, Client(http, authorizenet.url), mandrill.url, http)
        finally:
            await service.close()

"""The process manager in a world of stand-ins, example commands, and words for what is given and what is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

import msgspec

from application.answers import SUCCESS
from application.commands import OrderedService, Outcome, Requester, SubmitOrder
from application.corrections import TakeBack
from application.derived_ids import DerivedIds
from application.event_log import EventLog
from application.order_streams import OrderStreams
from application.pay_and_submit import PayAndSubmit, Ports
from application.ports import (
    ClientRecord,
    PaymentMethodRecord,
    PromotionRecord,
    ServiceRecord,
    TransactionDetails,
    TransactionState,
)
from application.reversal import Reversal
from application.stored_events import CODEC
from domain import endings
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.payment import FoundBy
from domain.policy import Policy
from domain.promotion import PromotionRedemption
from domain.stream import Metadata, Stream
from domain.submission import Guards
from tests.application.stand_ins import (
    APPROVED,
    CountingIds,
    ManualClock,
    MemoryKeys,
    ScriptedGateway,
    ScriptedMailer,
    ScriptedRecorder,
    Step,
    Timeline,
)
from tests.helpers import run

POLICY = Policy()
IDS = DerivedIds(b"an-example-secret-for-tests")
ADA = Requester("user:1", "planoorder", "client", "agent")
SHOP = Requester("application:shop", "shop", "application", None)
CLIENT = ClientRecord(11, "Ada Agent Realty", "orders@ada.example.com", ())
PHOTOS = ServiceRecord("photos", 1, "Photos", "primary", False, False, {15: 18_500})
CARD = PaymentMethodRecord(101, 11, "900000001", "800000001", "Visa", "1111", 12, 2031, True, True)
OTHER_CARD = replace(CARD, id=102, payment_profile_id="800000002", last4="2222")
SPRING10 = PromotionRecord(UUID(int=500), 1, "SPRING10", 10, None, None, True, None, None)
GIFT100 = replace(SPRING10, promotion_id=UUID(int=501), code="GIFT100", percent_off=100)

INTENT = ("order.requested", "order.payment-attempted", "duplicate-window.opened")
PAID = ("order.payment-charged", "order.submitted", "duplicate-window.closed")
REFUSED = ("order.requested", "order.refused")
REQUESTS = count(1)
KEY = "key-1"
KEYED_ORDER_ID = IDS.order_id(ADA.id, KEY)


def a_command(house: int = 1, promotion: PromotionRecord | None = None, **changes: Any) -> SubmitOrder:
    """Ada orders photos for a house; each house is a thing of its own. Every command is a new request."""
    command = SubmitOrder(
        request_id=f"req_{next(REQUESTS)}",
        requester=ADA,
        client=CLIENT,
        services=(OrderedService(PHOTOS, 15),),
        catalog_version="catalog-1",
        property_info={"address": {"street": f"{house} Alder Street", "city": "Denver"}},
        property_access=None,
        appointments=(),
        notes=None,
        metadata={},
        promotion_code=promotion.code if promotion else None,
        promotion=promotion,
        payment_method=CARD,
        idempotency_key=None,
        request_digest=f"digest of house {house}",
    )
    return msgspec.structs.replace(command, **changes)


def keyed(house: int = 1, key: str = KEY, **changes: Any) -> SubmitOrder:
    """The same under an idempotency key."""
    return a_command(house, idempotency_key=key, **changes)


class World:
    """Everything around one process manager. `timeline` tells what was stored and which vendor was called, in order."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.timeline: Timeline = []
        self.clock = ManualClock()
        self.recorder = ScriptedRecorder(self.timeline)
        self.gateway = ScriptedGateway(self.timeline)
        self.mailer = ScriptedMailer(self.timeline)
        self.events = EventLog(self.recorder, CODEC)
        self.streams = OrderStreams(self.events, self.clock)
        ids = CountingIds()
        self.handler = PayAndSubmit(
            Ports(
                streams=self.streams,
                take_back=TakeBack(self.streams, Reversal(self.gateway, self.clock, ids, policy), self.clock, 5.0),
                gateway=self.gateway,
                mailer=self.mailer,
                keys=MemoryKeys(),
                derived=IDS,
                clock=self.clock,
                ids=ids,
                policy=policy,
            )
        )

    # --- given and when -----------------------------------------------------------------------------------------------

    def stores(self, *steps: Step) -> None:
        """Given how the next inserts will end."""
        self.recorder.script.extend(steps)

    def submit(self, command: SubmitOrder) -> Outcome:
        return run(self.handler(command))

    async def recovery_takes(self, order_id: UUID, decide: Callable[[Guards, Metadata], None]) -> None:
        """Recovery stores a decision about the order, as another process would."""
        guards = await self.streams.load_for(order_id)
        decide(guards, Metadata(self.clock.now(), "system:recovery", "recovery", "recovery"))
        await self.streams.save(guards)

    async def expire(self, order_id: UUID) -> None:
        self.clock.advance(POLICY.payment_expiry_s)
        looked_up_at = self.clock.now()
        await self.recovery_takes(
            order_id, lambda guards, at: endings.take_expiry(guards, at, POLICY, looked_up_at=looked_up_at)
        )

    async def adopt(self, order_id: UUID, transaction_id: str) -> None:
        def decide(guards: Guards, at: Metadata) -> None:
            endings.take_charge(
                guards,
                at,
                transaction_id=transaction_id,
                authorization_code="000123",
                codes=APPROVED,
                found_by=FoundBy.LOOKUP,
                blocked_s=POLICY.adopted_window_s,
            )

        await self.recovery_takes(order_id, decide)

    def meanwhile(self, happens: Callable[[], Awaitable[object]]) -> None:
        """Given something that happens once, while the next charge is at the gateway."""

        async def once() -> None:
            self.gateway.while_charging = None
            await happens()

        self.gateway.while_charging = once

    def gateway_knows(self, transaction_id: str, **changes: Any) -> None:
        """Given a transaction at the gateway that carries the invoice, amount and card of the first attempt."""
        details = TransactionDetails(
            transaction_id=transaction_id,
            state=TransactionState.CAPTURED,
            status="capturedPendingSettlement",
            invoice_number=f"INV{1:017d}",
            amount_cents=18_500,
            authorization_code="000123",
            last4="1111",
            transaction_type="authCaptureTransaction",
            submitted_at=self.clock.now(),
            customer_profile_id="900000001",
            payment_profile_id="800000001",
            refunded_transaction_id=None,
            codes=APPROVED,
        )
        self.gateway.known[transaction_id] = replace(details, **changes)

    # --- then ---------------------------------------------------------------------------------------------------------

    @property
    def stored(self) -> list[tuple[str, ...]]:
        """The inserts, each with the topics of its events."""
        return [entry for entry in self.timeline if isinstance(entry, tuple)]

    @property
    def calls(self) -> list[str]:
        """The calls of vendors."""
        return [entry for entry in self.timeline if isinstance(entry, str)]

    def order(self, order_id: UUID | None) -> Order:
        assert order_id is not None
        return run(self.streams.order(order_id))

    def history(self, order_id: UUID | None) -> list[Stream.Event]:
        assert order_id is not None
        return [event for _, event in run(self.events.history(order_id))]

    def events_of(self, order_id: UUID | None) -> list[str]:
        return [type(event).__name__ for event in self.history(order_id)]

    def taken_back(self, order_id: UUID | None) -> dict[str, str]:
        """How far each correction of the order is, by transaction id."""
        return {key: str(correction.state) for key, correction in self.order(order_id).corrections.items()}

    def window_of(self, order_id: UUID | None) -> DuplicateWindow:
        requested = self.order(order_id).requested
        assert requested is not None
        return run(self.events.load((DuplicateWindow, requested.duplicate_window_id)))[0]

    def redemption(self, promotion: PromotionRecord = SPRING10, holder: str = "user:1") -> PromotionRedemption:
        redemption_id = IDS.redemption_id(promotion.promotion_id, holder)
        return run(self.events.load((PromotionRedemption, redemption_id)))[0]

    def notifications(self) -> list[tuple[str, UUID | None]]:
        """Kind and order of every notification."""
        raised = [CODEC.decode(stored) for stored in run(self.recorder.notifications(1, 10_000))]
        return [(event.kind, event.order_id) for event in raised if isinstance(event, Notification.Raised)]

    def position(self) -> int:
        return run(self.recorder.max_position())


def succeeded(outcome: Outcome) -> bool:
    return outcome.status == SUCCESS

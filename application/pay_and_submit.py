"""Pay for an order and submit it: the process manager of the money path. Three commits, one send.

    T1     the intent: order, duplicate window and redemption in one save; a lost race is decided again
    guard  too long since the clock was read before T1: do not send
    X1     the charge, sent once, by the process that committed T1, and by nobody else ever
    T2     the outcome: one save
    X2     the confirmation email
    T3     how the email went: one save

No database connection is held while a vendor is called. Whoever waits here costs a coroutine and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from application import notifications
from application.answers import KEYS_REFUSED, duplicate_of, outcome_of
from application.charging import charge_request, take_outcome
from application.commands import Outcome, SubmitOrder
from application.confirmation import Confirm
from application.corrections import TakeBack, take_back_intent
from application.derived_ids import DerivedIds
from application.event_log import MAX_RACES, CommitUnknown, Conflict, StoreUnavailable
from application.order_streams import OrderStreams, Saved, empty
from application.payment_lookup import FoundCharge, FoundHeld, FoundNo, NotFound, look_up
from application.ports import (
    Approved,
    ChargeOutcome,
    Clock,
    DuplicateAtGateway,
    HeldForReview,
    Ids,
    KeyDestroyed,
    KeyStore,
    Mailer,
    NotSent,
    OutcomeUnknown,
    PaymentGateway,
)
from application.replay import replay
from application.submissions import personal_document, seal_personal, submission_of
from application.times import id_text
from domain.order import Order, UnexpectedCharge
from domain.order_events import EmailState, OrderState
from domain.payment import FoundBy
from domain.policy import Policy
from domain.stream import Metadata, Stream
from domain.submission import Guards, Submission, decide

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ports:
    """Everything the money path needs of the world."""

    streams: OrderStreams
    take_back: TakeBack
    gateway: PaymentGateway
    mailer: Mailer
    keys: KeyStore
    derived: DerivedIds
    clock: Clock
    ids: Ids
    policy: Policy


class PayAndSubmit:
    """The handler of `SubmitOrder`. One instance serves all requests of a process."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._confirm = Confirm(ports.streams, ports.mailer, ports.derived, ports.clock, ports.policy)

    async def __call__(self, command: SubmitOrder, intent_stored: Callable[[], None] = lambda: None) -> Outcome:
        """Carry the command out and say how it ended. `intent_stored` is called before a vendor is.

        Raises StoreUnavailable or CommitUnknown where nothing was sent and the intent could not be stored for certain.
        """
        personal = personal_document(command)
        try:
            intent = await self._commit_intent(command, personal)
        except KeyDestroyed:  # erased a moment ago; the directory that was read did not know it yet
            return Outcome(status="invalid-param", param="order.client", detail="client-erased")
        intent_stored()
        order = intent.guards.order
        if order.requested is None or order.requested.correlation_id != command.request_id:
            return await replay(self._ports.streams, self._ports.clock, self._ports.policy, command, order)
        if order.state is OrderState.REFUSED:
            return await self._refusal(order, intent)
        try:
            return await self._carry_out(command, intent, personal)
        except (StoreUnavailable, CommitUnknown):
            log.exception("order %s: what happened could not be stored; recovery will find it", order.id)
            return Outcome(status="application-crash", order_id=order.id, position=intent.position)

    async def _carry_out(self, command: SubmitOrder, intent: Saved, personal: Mapping[str, Any]) -> Outcome:
        saved = intent
        if intent.guards.order.state is OrderState.PAYMENT_OPEN:
            outcome = await self._charge_once(intent)
            saved = await self._commit_outcome(command, intent.guards, outcome)
        order = saved.guards.order
        if order.state is OrderState.SUBMITTED and order.email_state is EmailState.PENDING:
            saved = await self._confirm(saved, personal, command.requester.id, command.request_id)
        order = saved.guards.order
        return outcome_of(order, position=saved.position, order=order, personal=personal)

    async def _refusal(self, order: Order, intent: Saved) -> Outcome:
        """A duplicate shows the earlier order; any other refusal shows the refused one."""
        assert order.refused is not None
        earlier_id = order.refused.earlier_order_id
        if order.refused.status == "duplicate-payment" and earlier_id is not None:
            earlier = await self._ports.streams.order(earlier_id)
            answer = duplicate_of(earlier, order.refused.blocked_until, self._ports.policy, intent.read_at)
        else:
            answer = outcome_of(order)
        return replace(answer, position=intent.position)

    # --- T1 -----------------------------------------------------------------------------------------------------------

    async def _commit_intent(self, command: SubmitOrder, personal: dict[str, Any]) -> Saved:
        """Decide and save until no race is lost. An order that exists already is returned as it is: a repeat."""
        order_id = self._order_id(command)
        submission = await self._submission(command, order_id, personal)
        streams = self._streams_of(command, order_id, submission)
        # Most orders are the first of their thing and of their promotion. Taking that for granted saves a read, and is
        # safe where the intent writes the first event of all three streams: the save fails if one of them exists.
        unread = command.idempotency_key is None
        for _ in range(MAX_RACES):
            read_at = self._ports.clock.now()
            guards = empty(*streams) if unread else await self._ports.streams.load(*streams)
            if guards.order.version:
                return Saved(guards, 0, read_at)
            metadata = Metadata(read_at, command.requester.id, command.request_id, command.request_id)
            decide(submission, guards, self._ports.policy, metadata)
            if unread and not guards.all_written:
                unread = False
                continue
            try:
                return Saved(guards, await self._ports.streams.save(guards), read_at)
            except Conflict:
                unread = False
        raise StoreUnavailable("too many lost races")

    def _order_id(self, command: SubmitOrder) -> UUID:
        if command.idempotency_key is None:
            return self._ports.ids.order_id(self._ports.clock.now())
        return self._ports.derived.order_id(command.requester.id, command.idempotency_key)

    async def _submission(self, command: SubmitOrder, order_id: UUID, personal: dict[str, Any]) -> Submission:
        sealed = await seal_personal(self._ports.keys, command.client.id, order_id, personal)
        return submission_of(command, sealed, self._ports.ids.invoice_number())

    def _streams_of(
        self, command: SubmitOrder, order_id: UUID, submission: Submission
    ) -> tuple[UUID, UUID, UUID | None]:
        """The order, its duplicate window, and the redemption where a promotion is used."""
        derived = self._ports.derived
        services = [(ordered.service.slug, ordered.quantity) for ordered in command.services]
        window_id = derived.duplicate_window_id(command.client.id, services, command.property_info)
        redemption_id = None
        if command.promotion is not None:
            redemption_id = derived.redemption_id(command.promotion.promotion_id, submission.promotion_holder)
        return order_id, window_id, redemption_id

    # --- X1, T2 -------------------------------------------------------------------------------------------------------

    async def _charge_once(self, intent: Saved) -> ChargeOutcome:
        """Send the charge, unless too long has passed since the clock was read before the intent was stored."""
        ports = self._ports
        if ports.clock.now() - intent.read_at > timedelta(seconds=ports.policy.send_guard_s):
            return NotSent("too-late")
        order = intent.guards.order
        outcome = await ports.gateway.charge(charge_request(order))
        if isinstance(outcome, DuplicateAtGateway):
            return await self._judge_duplicate(order, outcome)
        return outcome

    async def _judge_duplicate(self, order: Order, outcome: DuplicateAtGateway) -> ChargeOutcome:
        """The gateway took our charge for a repeat: only a lookup tells whether it has one of this attempt."""
        assert order.payment is not None
        match await look_up(self._ports.gateway, order.payment):
            case FoundCharge(transaction_id=transaction_id, authorization_code=code, codes=codes):
                return Approved(transaction_id, code, codes, FoundBy.LOOKUP)
            case FoundHeld(transaction_id=transaction_id, codes=codes):
                return HeldForReview(transaction_id, codes)
            case NotFound() | FoundNo():
                return outcome
            case _:
                return OutcomeUnknown("duplicate-at-gateway", outcome.codes)

    async def _commit_outcome(self, command: SubmitOrder, guards: Guards, outcome: ChargeOutcome) -> Saved:
        """Store the outcome. A charge that the order must not keep is taken back, intent first."""
        ports = self._ports
        causation = f"{id_text(guards.order.id)}/{guards.order.version}"

        def record(fresh: Guards, at: datetime) -> Sequence[Stream]:
            metadata = Metadata(at, command.requester.id, command.request_id, causation)
            return _record_outcome(fresh, outcome, metadata, ports.policy)

        saved = await ports.streams.decide_and_save(guards, record)
        if saved.guards.order.open_corrections:
            try:
                await ports.take_back.carry_out(guards.order.id)
            except (StoreUnavailable, CommitUnknown):
                log.exception("order %s: taking a charge back could not be stored; it is tried again", guards.order.id)
        return saved


def _record_outcome(guards: Guards, outcome: ChargeOutcome, metadata: Metadata, policy: Policy) -> Sequence[Stream]:
    """The outcome on the three streams, and the notification that it calls for."""
    order = guards.order
    known = order.version
    try:
        take_outcome(guards, outcome, metadata, policy)
    except UnexpectedCharge as charge:
        return take_back_intent(guards, metadata, charge.transaction_id, known)
    if order.version > known and order.ending_status == KEYS_REFUSED:
        return [notifications.raised(notifications.GATEWAY_KEYS_REFUSED, order.id, metadata)]
    return []

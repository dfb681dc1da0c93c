"""Sends confirmation emails that the request itself could not send, later and with growing pauses.

Mandrill has no idempotency key: so the try is an event before anything is done, every message is searched for by its
email_id before it is sent again, and the outbox does not begin before the request's own send must be over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from application import notifications
from application.confirmation import delivery_of, emails_for, record_deliveries
from application.derived_ids import DerivedIds
from application.event_log import Conflict
from application.order_streams import OrderStreams
from application.ports import Clock, Email, KeyStore, LookupFailed, Mailer
from application.submissions import open_personal
from application.work import LookAgain, WorkItem, growing
from domain.order import Order
from domain.order_events import Delivery, EmailState
from domain.policy import Policy
from domain.stream import Metadata, Stream
from domain.submission import Guards

ACTOR = "system:outbox"
MAX_TRIES = 10
FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 3600.0
LONGEST_TRY_S = 120.0  # two searches and a send per recipient, each with a limit of its own


class SendEmails:
    """The outbox for one order."""

    def __init__(
        self,
        streams: OrderStreams,
        mailer: Mailer,
        keys: KeyStore,
        derived: DerivedIds,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._streams = streams
        self._mailer = mailer
        self._keys = keys
        self._derived = derived
        self._clock = clock
        self._policy = policy

    async def __call__(self, item: WorkItem) -> LookAgain | None:
        """One try; None once every message was taken, or was refused for good, or a person has to help."""
        order = await self._streams.order(item.order_id)
        if order.email_state not in (EmailState.PENDING, EmailState.FAILED) or order.email_wanted_at is None:
            return None
        wait_s = max(self._too_early_s(order), self._under_way_s(order))
        if wait_s > 0:
            return LookAgain(wait_s)
        personal = await open_personal(self._keys, order)
        emails = emails_for(order, personal, self._derived) if personal else []
        open_emails = [email for email in emails if not _is_final(order, email)]
        if not open_emails or order.email_attempts >= MAX_TRIES:
            await self._give_up(order)
            return None
        try:
            order = await self._attempt(order, open_emails)
        except Conflict:
            return LookAgain(FIRST_PAUSE_S)  # another worker has just begun this try
        deliveries = [await self._deliver(order, email) for email in emails]
        order = await self._take(order, deliveries)
        if order.email_state is EmailState.SENT:
            return None
        return LookAgain(growing(order.email_attempts - 1, FIRST_PAUSE_S, LONGEST_PAUSE_S))

    def _too_early_s(self, order: Order) -> float:
        """The request that submitted the order may still be sending."""
        if order.email_wanted_at != order.submitted_at or order.submitted_at is None:
            return 0.0  # a person asked for it
        begins = order.submitted_at + timedelta(seconds=self._policy.outbox_begins_s)
        return (begins - self._clock.now()).total_seconds()

    def _under_way_s(self, order: Order) -> float:
        """Somebody else has begun a try and may still be at it: a lease may run out, and a person may try by hand."""
        if order.email_attempted_at is None:
            return 0.0
        ends = order.email_attempted_at + timedelta(seconds=LONGEST_TRY_S)
        return (ends - self._clock.now()).total_seconds()

    async def _attempt(self, order: Order, emails: Sequence[Email]) -> Order:
        """Store the try. Raises Conflict where somebody else got there first: then this try is theirs."""
        guards = await self._streams.load_for(order.id)
        if guards.order.version != order.version:
            raise Conflict
        metadata = self._metadata(guards.order, self._clock.now())
        guards.order.attempt_emails(metadata, [email.email_id for email in emails])
        await self._streams.save(guards)
        return guards.order

    async def _deliver(self, order: Order, email: Email) -> Delivery:
        """Search first, then send. What is final stays as it is."""
        known = order.deliveries.get(email.email_id)
        if known is not None and known.final:
            return known
        assert order.email_wanted_at is not None
        try:
            found = await self._mailer.find(email.email_id, since=order.email_wanted_at)
        except LookupFailed as failure:
            return Delivery(email.email_id, "unknown", None, f"search-{failure.reason}")
        if found is not None and found.message_id in order.superseded:
            found = None  # sent just before a person asked for it again
        return delivery_of(found if found is not None else await self._mailer.send(email))

    async def _take(self, order: Order, deliveries: Sequence[Delivery]) -> Order:
        guards = await self._streams.load_for(order.id)

        def record(fresh: Guards, at: datetime) -> Sequence[Stream]:
            return record_deliveries(fresh, deliveries, self._metadata(fresh.order, at))

        return (await self._streams.decide_and_save(guards, record)).guards.order

    async def _give_up(self, order: Order) -> None:
        """Nothing more can be done without a person."""
        metadata = self._metadata(order, self._clock.now())
        await self._streams.notify(notifications.EMAIL_GIVEN_UP, order.id, metadata)

    @staticmethod
    def _metadata(order: Order, at: datetime) -> Metadata:
        assert order.requested is not None
        return Metadata(at, ACTOR, order.requested.correlation_id, f"{order.id}/{order.version}")


def no_more_tries(order: Order) -> bool:
    """Nothing that the outbox still does changes how the confirmation went: every recipient's message was taken or
    refused for good, or the tries are used up."""
    if order.email_state is EmailState.SENT:
        return True
    if order.email_state is not EmailState.FAILED or order.email_attempted_at is not None:
        return False
    return order.email_attempts >= MAX_TRIES or all(delivery.final for delivery in order.deliveries.values())


def _is_final(order: Order, email: Email) -> bool:
    known = order.deliveries.get(email.email_id)
    return known is not None and known.final

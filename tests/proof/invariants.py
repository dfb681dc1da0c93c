"""What must hold at the end of every run, each by its name. The vendors' books are the oracle; the log has to agree.

`violations(world)` is empty, or says what was broken. Times are virtual seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from eventsourcing.domain import EventSourcingError

from application.answers import SUCCESS
from application.stored_events import CODEC
from application.submissions import personal_document
from application.work import WorkKind
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.order_events import EmailState, OrderState
from domain.orphan_charge import OrphanCharge
from domain.payment import PaymentState
from domain.promotion import PromotionRedemption
from domain.stream import Stream
from tests.proof.world.clock import START
from tests.proof.world.process import EXPECTED_ERRORS
from tests.proof.world.settings import Answer
from tests.proof.world.world import World

ENDINGS = (
    Order.PaymentCharged,
    Order.PaymentDeclined,
    Order.PaymentFailed,
    Order.PaymentNotSent,
    Order.PaymentExpired,
)
STREAMS: dict[str, type[Stream]] = {
    "order": Order,
    "duplicate-window": DuplicateWindow,
    "promotion-redemption": PromotionRedemption,
    "notification": Notification,
    "orphan-charge": OrphanCharge,
}
PAID = {SUCCESS, "mandrill-email-failed"}
NOTHING_SAID = {"payment-outcome-unknown", "payment-held-for-review"}
SLACK_S = 900.0  # for restarts, leases, growing pauses and lookups that fail while faults last


class Facts:
    """The log of one finished world, folded, next to the vendors' books."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.derived = next(iter(world.processes.values())).derived
        self.streams: dict[UUID, Stream] = {}
        self.events: defaultdict[UUID, list[tuple[int, Stream.Event]]] = defaultdict(list)
        for (position, event), stored in zip(world.log.events, world.log.stored, strict=True):
            stream_id = event.originator_id
            self.events[stream_id].append((position, event))
            if stream_id not in self.streams:
                self.streams[stream_id] = STREAMS[stored.topic.partition(".")[0]].empty(stream_id)
            event.mutate(self.streams[stream_id])
        self.orders = [stream for stream in self.streams.values() if isinstance(stream, Order)]
        self.by_request = {o.requested.correlation_id: o for o in self.orders if o.requested}
        self.by_invoice = {o.payment.invoice_number: o for o in self.orders if o.payment and o.payment.invoice_number}
        self.notified = {
            (stream.raised.kind, stream.raised.order_id)
            for stream in self.streams.values()
            if isinstance(stream, Notification) and stream.raised
        }

    def own_order(self, answer: Answer) -> Order | None:
        """The order that the request stands for, which is not always the one that it is shown."""
        command = answer.command
        if command.idempotency_key is not None:
            order_id = self.derived.order_id(command.requester.id, command.idempotency_key)
            return next((order for order in (self.streams.get(order_id),) if isinstance(order, Order)), None)
        return self.by_request.get(command.request_id)

    def endings(self, order: Order) -> list[tuple[int, Stream.Event]]:
        return [(position, event) for position, event in self.events[order.id] if isinstance(event, ENDINGS)]


def at_most_one_kept_charge_per_order(facts: Facts) -> Iterator[str]:
    kept = Counter(row.invoice_number for row in facts.world.ledger.kept() if row.invoice_number)
    for invoice, number in kept.items():
        if number > 1:
            yield f"{number} kept charges for {invoice}"


def a_kept_charge_has_its_submitted_order(facts: Facts) -> Iterator[str]:
    for row in facts.world.ledger.kept():
        order = facts.by_invoice.get(row.invoice_number)
        if order is None:
            yield f"{row.id} is kept, and no order names it"
        elif order.state is not OrderState.SUBMITTED or order.payment is None:
            yield f"{row.id} is kept, and its order is {order.state}"
        elif order.payment.transaction_id != row.id or order.total_cents != row.amount_cents:
            yield f"{row.id} over {row.amount_cents}, but its order names {order.payment.transaction_id}"


def a_submitted_order_has_its_kept_charge(facts: Facts) -> Iterator[str]:
    for order in facts.orders:
        if order.state not in (OrderState.SUBMITTED, OrderState.VOIDED, OrderState.REFUNDED) or not order.total_cents:
            continue
        row = facts.world.ledger.transactions.get((order.payment.transaction_id if order.payment else None) or "")
        if row is None or row.kept is not (order.state is OrderState.SUBMITTED):
            yield f"{order.number} is {order.state}, and the gateway says {row.state if row else 'nothing'}"


def a_paid_order_is_never_lost(facts: Facts) -> Iterator[str]:
    """A charge that landed and showed within the assumed time is the order's, whatever crashed."""
    for row in facts.world.ledger.transactions.values():
        if not row.promised or row.amount_cents != row.asked_cents or not row.came_in:
            continue
        order = facts.by_invoice.get(row.invoice_number)
        if order is None or order.submitted_at is None or order.payment is None:
            yield f"{row.id} was paid in time, and its order is {order.state if order else 'not there'}"
        elif order.payment.transaction_id != row.id:
            yield f"{row.id} was paid in time, and its order names {order.payment.transaction_id}"


def a_charge_is_sent_once_and_after_its_intent(facts: Facts) -> Iterator[str]:
    for invoice, number in Counter(call.invoice_number for call in facts.world.ledger.calls).items():
        if number > 1:
            yield f"the charge of {invoice} was sent {number} times"
    for call in facts.world.ledger.calls:
        if not call.intent_stored:
            yield f"{call.invoice_number} was sent before its intent was stored"
        if call.late_s > facts.world.policy.send_guard_s:
            yield f"{call.invoice_number} was sent {call.late_s:.1f} s after its intent was decided"


def nothing_is_left_open_at_the_gateway(facts: Facts) -> Iterator[str]:
    for row in facts.world.ledger.transactions.values():
        if row.open:
            yield f"{row.id} is still {row.state}"


def money_goes_back_once(facts: Facts) -> Iterator[str]:
    for row in facts.world.ledger.transactions.values():
        if row.refunds > 1 or row.refunded_cents not in (0, row.amount_cents):
            yield f"{row.id} over {row.amount_cents} was refunded {row.refunds} times, {row.refunded_cents} in all"


def a_promotion_is_redeemed_once(facts: Facts) -> Iterator[str]:
    holders: defaultdict[UUID, list[Order]] = defaultdict(list)
    for order in facts.orders:
        if order.promotion is not None and order.submitted_at is not None:
            holders[order.promotion.redemption_id].append(order)
    for redemption_id, orders in holders.items():
        if len(orders) > 1:
            yield f"{len(orders)} submitted orders used one promotion"
        redemption = facts.streams.get(redemption_id)
        if not isinstance(redemption, PromotionRedemption) or not redemption.redeemed:
            yield f"{orders[0].number} used a promotion that is not redeemed"
        elif redemption.held_by != orders[0].id:
            yield f"{orders[0].number} used a promotion that is held by another order"
    for stream in facts.streams.values():
        if isinstance(stream, PromotionRedemption) and stream.held_by is not None and stream.id not in holders:
            yield f"a promotion is {'redeemed' if stream.redeemed else 'reserved'} by {stream.held_by}, not submitted"


def the_duplicate_window_was_shut_in_time(facts: Facts) -> Iterator[str]:
    """One payment at a time for one thing, and none soon after a yes."""
    for order in facts.orders:
        if order.payment is None or order.requested is None:
            continue
        events = facts.events[order.requested.duplicate_window_id]
        mine = [(p, event) for p, event in events if getattr(event, "order_id", None) == order.id]
        if [type(event) for _, event in mine] != [DuplicateWindow.Opened, DuplicateWindow.Closed]:
            yield f"the window of {order.number} was not opened and closed once"
            continue
        first = order.payment.state is PaymentState.WAIVED
        ended = facts.events[order.id][-1][0] if first else next((p for p, _ in facts.endings(order)), 0)
        closed = mine[1][1]
        assert isinstance(closed, DuplicateWindow.Closed)
        if not first and abs(mine[1][0] - ended) > 3:
            yield f"the window of {order.number} was not closed with its outcome"
    for stream in facts.streams.values():
        if isinstance(stream, DuplicateWindow):
            yield from _overlaps(facts, stream)


def _overlaps(facts: Facts, window: DuplicateWindow) -> Iterator[str]:
    """By the ledger: what was charged for one thing, in the order of sending."""
    opened = [event.order_id for _, event in facts.events[window.id] if isinstance(event, DuplicateWindow.Opened)]
    if window.is_open:
        yield f"the window of {window.order_id} is still open"
    if len(opened) < 2:
        return
    sent = {call.invoice_number: call.at_s for call in facts.world.ledger.calls}
    for earlier_id, later_id in pairwise(opened):
        earlier, later = facts.streams[earlier_id], facts.streams[later_id]
        assert isinstance(earlier, Order)
        assert isinstance(later, Order)
        if not (earlier.payment and later.payment and later.payment.invoice_number in sent):
            continue
        ending = next(iter(facts.endings(earlier)), None)
        begun = next(p for p, event in facts.events[later_id] if isinstance(event, Order.PaymentAttempted))
        if earlier.payment.state is not PaymentState.WAIVED and (ending is None or ending[0] > begun):
            yield f"{later.number} was attempted while {earlier.number} was open"
        rows = facts.world.ledger.of_invoice.get(earlier.payment.invoice_number or "", ())
        paid_s = max((row.landed_at_s for row in rows if row.promised and row.came_in), default=None)
        blocked_s = facts.world.policy.duplicate_window_s - 2 * facts.world.settings.skew_s
        if paid_s is not None and 0 <= (after_s := sent[later.payment.invoice_number] - paid_s) < blocked_s:
            yield f"{later.number} was charged {after_s:.0f} s after {earlier.number}"


def every_attempt_has_one_ending_with_a_reason(facts: Facts) -> Iterator[str]:
    for order in facts.orders:
        if order.state is None:
            yield f"{order.number} was requested and nothing decided"
        if order.payment is None or order.payment.state is PaymentState.WAIVED:
            continue
        endings = facts.endings(order)
        submitted = sum(isinstance(event, Order.Submitted) for _, event in facts.events[order.id])
        if len(endings) != 1:
            yield f"{order.number} has {len(endings)} endings"
        elif submitted != isinstance(endings[0][1], Order.PaymentCharged):
            yield f"{order.number} was submitted {submitted} times after {type(endings[0][1]).__name__}"
        elif order.submitted_at is None and not order.payment.reason:
            yield f"{order.number} ended without a reason"


def every_attempt_is_resolved_in_time(facts: Facts) -> Iterator[str]:
    policy, quiet_s = facts.world.policy, facts.world.faults_end_s
    for order in facts.orders:
        if order.payment is None or order.payment.state is PaymentState.WAIVED:
            continue
        ending = next(iter(facts.endings(order)), None)
        held = any(isinstance(event, Order.PaymentHeld) for _, event in facts.events[order.id])
        limit_s = policy.held_expiry_s if held else policy.payment_expiry_s
        begun = max(order.payment.attempted_at, START + timedelta(seconds=quiet_s))
        if ending is not None and ending[1].timestamp > begun + timedelta(seconds=limit_s + SLACK_S):
            yield f"{order.number} was open for {ending[1].timestamp - order.payment.attempted_at}"


def every_submitted_order_was_confirmed(facts: Facts) -> Iterator[str]:
    commands = {answer.request_id: answer for answer in facts.world.commands}
    mailbox, derived = facts.world.mailbox.messages, facts.derived
    for order in facts.orders:
        assert order.requested is not None
        for recipient in personal_document(commands[order.requested.correlation_id])["recipients"]:
            messages = mailbox.get(derived.email_id(order.id, recipient), ())
            if order.submitted_at is None:
                if messages:
                    yield f"{order.number} was never submitted, and a mail says it was"
            elif any(message.status == "sent" for message in messages):
                continue
            elif not messages:
                yield f"{order.number} was never confirmed"
            elif not {("email-failed", order.id), ("email-given-up", order.id)} & facts.notified:
                yield f"mail for {order.number} was refused, and nobody was told"
        if order.submitted_at is not None and order.email_state is EmailState.PENDING:
            yield f"the mail of {order.number} is still pending"


def no_mail_is_sent_again_needlessly(facts: Facts) -> Iterator[str]:
    for messages in facts.world.mailbox.messages.values():
        if any(message.needless for message in messages):
            yield f"order {messages[0].order_id} was confirmed again though the first mail could be found"


def no_answer_contradicts_the_books(facts: Facts) -> Iterator[str]:
    for answer in facts.world.answers:
        if answer.outcome is not None:
            yield from _contradictions(facts, answer)


def _contradictions(facts: Facts, answer: Answer) -> Iterator[str]:
    outcome = answer.outcome
    assert outcome is not None
    shown = facts.streams.get(outcome.order_id) if outcome.order_id else None
    own = facts.own_order(answer)
    if outcome.status in PAID:
        if not isinstance(shown, Order) or shown.submitted_at is None:
            yield f"{answer.command.request_id} was told {outcome.status}, and the order is not submitted"
    elif outcome.status != "application-crash" and outcome.detail not in NOTHING_SAID and isinstance(own, Order):
        if outcome.status == "duplicate-payment" and own.state is not OrderState.REFUSED and shown is not own:
            yield f"{answer.command.request_id} was told duplicate-payment for an order that was not refused"
        rows = facts.world.ledger.of_invoice.get((own.payment and own.payment.invoice_number) or "", ())
        if outcome.status != "invalid-param" and any(row.kept for row in rows):
            yield f"{answer.command.request_id} was told {outcome.status} {outcome.detail}, and the charge is kept"


def replaying_gives_the_same_state(facts: Facts) -> Iterator[str]:
    """Read from the database once more, in the order of positions."""
    again: dict[UUID, Stream] = {}
    last = facts.world.base
    for stored in facts.world.recorder.everything_after(facts.world.base):
        event = CODEC.decode(stored)
        stream = again.get(event.originator_id)
        if stream is None:
            stream = again[event.originator_id] = STREAMS[stored.topic.partition(".")[0]].empty(event.originator_id)
        if event.originator_version != stream.version + 1 or stored.id <= last:
            yield f"{stored.topic} has version {event.originator_version} after {stream.version}"
        event.mutate(stream)
        last = stored.id
    if again.keys() != facts.streams.keys():
        yield f"{len(facts.streams)} streams were written, {len(again)} are there"
        return
    for stream_id, stream in facts.streams.items():
        if stream.__dict__ != again[stream_id].__dict__:
            yield f"{stream_id} differs after a replay"


def no_work_is_stuck(facts: Facts) -> Iterator[str]:
    for (order_id, kind), item in facts.world.models.items.items():
        if kind is not WorkKind.RECONCILE:
            yield f"{kind} of {order_id} is still to be done after {item.tries} tries"
    for order in facts.orders:
        if order.open_corrections:
            yield f"{order.number} has charges that are still to be taken back"
    for stream in facts.streams.values():
        if isinstance(stream, OrphanCharge) and not stream.is_taken_back:
            yield f"orphan charge {stream.found.transaction_id if stream.found else stream.id} is not taken back"


def nothing_broke(facts: Facts) -> Iterator[str]:
    yield from facts.world.defects
    yield from (f"a worker stumbled over {error}" for error in facts.world.errors() if error not in EXPECTED_ERRORS)


INVARIANTS: tuple[Callable[[Facts], Iterator[str]], ...] = (
    at_most_one_kept_charge_per_order,
    a_kept_charge_has_its_submitted_order,
    a_submitted_order_has_its_kept_charge,
    a_paid_order_is_never_lost,
    a_charge_is_sent_once_and_after_its_intent,
    nothing_is_left_open_at_the_gateway,
    money_goes_back_once,
    a_promotion_is_redeemed_once,
    the_duplicate_window_was_shut_in_time,
    every_attempt_has_one_ending_with_a_reason,
    every_attempt_is_resolved_in_time,
    every_submitted_order_was_confirmed,
    no_mail_is_sent_again_needlessly,
    no_answer_contradicts_the_books,
    replaying_gives_the_same_state,
    no_work_is_stuck,
    nothing_broke,
)


def violations(world: World) -> list[str]:
    """Every broken invariant by its name, with what broke it."""
    try:
        facts = Facts(world)
    except (EventSourcingError, AssertionError, AttributeError, KeyError) as error:
        return [f"the_log_can_be_folded: {type(error).__name__} {error}"]
    return [f"{invariant.__name__}: {text}" for invariant in INVARIANTS for text in invariant(facts)]

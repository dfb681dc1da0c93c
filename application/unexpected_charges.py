"""Takes back a charge that its order must not keep. The intent (`VoidRequested`) is stored before this is called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from application.order_streams import OrderStreams
from application.ports import LookupFailed, PaymentGateway, TransactionState
from domain.order import Order
from domain.stream import Metadata, Stream
from domain.submission import Guards


async def take_back(
    gateway: PaymentGateway, streams: OrderStreams, order: Order, transaction_id: str, actor: str, correlation_id: str
) -> Order:
    """Void once, and believe it only when the details show it; what stays open is left to recovery."""
    await gateway.void(transaction_id)
    try:
        details = await gateway.details(transaction_id)
    except LookupFailed:
        return order
    if details is None or details.state is not TransactionState.VOIDED:
        return order
    guards = await streams.load_for(order.id)
    causation = f"{order.id}/{order.version}"

    def record(fresh: Guards, at: datetime) -> Sequence[Stream]:
        metadata = Metadata(at, actor, correlation_id, causation)
        fresh.order.record_void(metadata, transaction_id)
        return ()

    return (await streams.decide_and_save(guards, record)).guards.order

"""All event types that the log may hold, and the codec that reads and writes them."""

from __future__ import annotations

from application.event_codec import EventCodec, event_classes_of
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.orphan_charge import OrphanCharge
from domain.promotion import Promotion, PromotionRedemption
from domain.settlement import SettlementBatch

AGGREGATES = (Order, PromotionRedemption, DuplicateWindow, Promotion, Notification, OrphanCharge, SettlementBatch)

CODEC = EventCodec(event_classes_of(*AGGREGATES))
